/** Daemons that speak KCP, the wire between them, and who uses them; all of them are closed after each test. */
import { afterEach } from 'vitest';
import { type Daemon, type StartOptions, startDaemon, type TestConfig } from '../../support/daemon.js';
import { KCPTUN_KEY, type KcptunSettings } from '../../support/kcptun.js';
import { freePort } from '../../support/ports.js';
import { type Conditions, startWire, type Wire } from '../../support/wire.js';

const open: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close();
});

/** Closes it after the test, the latest first. */
export function keep<T extends { stop(): Promise<unknown> }>(made: T): T {
  open.push(() => made.stop());
  return made;
}

export const SECRET = 'a secret that only the two ends know';

/** A profile of our own wire; `keys`: what is otherwise. */
export const own = (keys: object = {}) => ({ secret: SECRET, ...keys });

/** A profile that speaks to a kcptun of these settings. */
export const kcptunProfile = ({
  crypt = 'aes',
  key = KCPTUN_KEY,
  mode = 'fast',
  fec: [data, parity] = [10, 3],
  smux = 1,
  compression = false,
  windows,
}: KcptunSettings = {}) => ({
  wire: 'kcptun',
  mode,
  fec: { data, parity },
  ...(windows !== undefined && { send_window: windows, receive_window: windows }),
  kcptun: { crypt, key, smux, compression },
  ...(['none', 'null'].includes(crypt) && { insecure: true }),
});

/** One end: a daemon, and the port that it listens on. */
export interface End {
  readonly daemon: Daemon;
  readonly port: number;
}

export interface EndOptions extends StartOptions {
  readonly config?: TestConfig;
  readonly listener?: object;
  readonly upstream?: object;
}

/** The server's end: what comes over KCP goes to `target`. */
export async function startFar(
  profile: object,
  target: string,
  { config = {}, listener = {}, upstream = {}, ...options }: EndOptions = {},
): Promise<End> {
  const port = await freePort();
  const written = farConfig(profile, port, target, { config, listener, upstream });
  return { daemon: keep(await startDaemon(written, options)), port };
}

export const farConfig = (
  profile: object,
  port: number,
  target: string,
  { config = {}, listener = {}, upstream = {} }: Omit<EndOptions, keyof StartOptions> = {},
): TestConfig => ({
  kcp: { link: profile },
  listeners: [{ name: 'far', address: `127.0.0.1:${port}`, transport: 'kcp', kcp: 'link', ...listener }],
  routes: [{ when: { listener: 'far' }, to: 'behind' }],
  upstreams: { behind: { endpoints: [target], ...upstream } },
  ...config,
});

/** The client's end: what comes over TCP goes through KCP to `remote`. */
export async function startNear(
  profile: object,
  remote: string,
  { config = {}, listener = {}, upstream = {}, ...options }: EndOptions = {},
): Promise<End> {
  const port = await freePort();
  const written = nearConfig(profile, port, remote, { config, listener, upstream });
  return { daemon: keep(await startDaemon(written, options)), port };
}

export const nearConfig = (
  profile: object,
  port: number,
  remote: string,
  { config = {}, listener = {}, upstream = {} }: Omit<EndOptions, keyof StartOptions> = {},
): TestConfig => ({
  kcp: { link: profile },
  listeners: [{ name: 'near', address: `127.0.0.1:${port}`, ...listener }],
  routes: [{ when: { listener: 'near' }, to: 'over' }],
  upstreams: { over: { endpoints: [remote], over: 'kcp', kcp: 'link', ...upstream } },
  ...config,
});

export interface Tunnel {
  readonly near: End;
  readonly far: End;
  readonly wire: Wire;
  /** Where clients connect to. */
  readonly port: number;
}

export interface TunnelOptions {
  /** Of the wire between the ends. */
  readonly conditions?: Conditions;
  readonly near?: EndOptions;
  readonly far?: EndOptions;
}

/** Two daemons with the same profile, and a wire between them. */
export async function startTunnel(
  profile: object,
  target: string,
  { conditions = {}, near = {}, far = {} }: TunnelOptions = {},
): Promise<Tunnel> {
  const there = await startFar(profile, target, far);
  const wire = keep(await startWire(there.port, { seed: 11, ...conditions }));
  const here = await startNear(profile, wire.target, near);
  return { near: here, far: there, wire, port: here.port };
}

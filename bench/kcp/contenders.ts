/** Tunnels over KCP: kcptun as it comes, with one scheduler thread, our end against its client, and both ends ours. */
import { type Daemon, startDaemon } from '../../test/support/daemon.js';
import {
  KCPTUN_KEY,
  type KcptunSettings,
  startKcptunClient,
  startKcptunServer,
} from '../../test/support/kcptun.js';
import { freePort } from '../../test/support/ports.js';
import type { Settings } from './workloads.js';

/** The end that is measured. */
export interface Server {
  readonly pid: number;
  readonly port: number;
  stop(): Promise<void>;
}

/** Accepts TCP; its connections take its sessions in turn. */
export interface Client {
  readonly port: number;
  stop(): Promise<void>;
}

export interface Contender {
  /** `target`: port of the endpoint. */
  server(target: number, settings: Settings): Promise<Server>;
  /** `remote`: port that leads to the server; `sessions`: of KCP. */
  client(remote: number, settings: Settings, sessions?: number): Promise<Client>;
}

const kcptunSettings = ({ crypt, fec, mode, windows }: Settings): KcptunSettings => ({
  crypt,
  fec,
  mode,
  ...(windows !== undefined && { windows }),
});

const kcptun = (threads?: number): Contender => {
  const own = threads === undefined ? {} : { threads };
  return {
    server: (target, settings) =>
      startKcptunServer(`127.0.0.1:${target}`, { ...kcptunSettings(settings), ...own }),
    client: (remote, settings, sessions = 1) =>
      startKcptunClient(`127.0.0.1:${remote}`, { ...kcptunSettings(settings), ...own, sessions }),
  };
};

/** What both wires have; defaults where kcptun has its own too. */
const common = ({ fec: [data, parity], mode, windows }: Settings) => ({
  mode,
  fec: { data, parity },
  ...(windows !== undefined && { send_window: windows, receive_window: windows }),
});

const profiles = {
  kcptun: (settings: Settings) => ({
    wire: 'kcptun',
    ...common(settings),
    kcptun: { crypt: settings.crypt, key: KCPTUN_KEY, smux: 1, compression: false },
    insecure: settings.crypt === 'none',
  }),
  anyport: (settings: Settings) => ({
    wire: 'anyport',
    ...common(settings),
    secret: 'a secret of thirty-two bytes, no less',
    ...(settings.crypt === 'none' ? { cipher: 'none', insecure: true } : { cipher: 'aes-128-gcm' }),
  }),
};

type Profile = (settings: Settings) => object;

const server = { workers: 1, max_connections: 4000 };
const logging = { access_log: false };

/** The route is decided when the stream opens: nothing is identified, as kcptun does not. */
const ourServer =
  (profile: Profile): Contender['server'] =>
  async (target, settings) => {
    const port = await freePort();
    const daemon = await startOurs({
      kcp: { link: profile(settings) },
      listeners: [{ name: 'far', address: `:${port}`, transport: 'kcp', kcp: 'link' }],
      routes: [{ when: { listener: 'far' }, to: 'behind' }],
      upstreams: { behind: { endpoints: [`127.0.0.1:${target}`] } },
    });
    return { pid: daemon.pid, port, stop: () => daemon.stop() };
  };

/** A link for each endpoint: many sessions are as many addresses of the server. */
function addressesOf(remote: number, sessions: number): string[] {
  if (sessions === 1) return [`127.0.0.1:${remote}`];
  return Array.from({ length: sessions }, (_, n) => `127.${1 + (n >> 8)}.1.${n & 255}:${remote}`);
}

const ourClient: Contender['client'] = async (remote, settings, sessions = 1) => {
  const port = await freePort();
  const daemon = await startOurs({
    kcp: { link: profiles.anyport(settings) },
    listeners: [{ name: 'near', address: `127.0.0.1:${port}` }],
    routes: [{ when: { listener: 'near' }, to: 'far' }],
    upstreams: { far: { endpoints: addressesOf(remote, sessions), over: 'kcp', kcp: 'link' } },
  });
  return { port, stop: () => daemon.stop() };
};

const startOurs = (config: object): Promise<Daemon> =>
  startDaemon({ ...config, server, logging }, { asInstalled: true });

export const RIVAL = 'kcptun';
/** Its best case. */
export const RIVAL_1P = 'kcptun-1p';
/** Our server against kcptun's client; both ends ours. */
export const OURS = ['anyport-kcptun', 'anyport'] as const;
export type OurName = (typeof OURS)[number];

const [ourEnd, bothEnds] = OURS;

/** In the order of the table's rows. */
export const contenders: ReadonlyMap<string, Contender> = new Map([
  [RIVAL, kcptun()],
  [RIVAL_1P, kcptun(1)],
  [ourEnd, { server: ourServer(profiles.kcptun), client: kcptun().client }],
  [bothEnds, { server: ourServer(profiles.anyport), client: ourClient }],
]);

export const contenderNames = (): string[] => [...contenders.keys()];

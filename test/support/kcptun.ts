/** kcptun from its Debian package (20210922), as users start it. */
import { freePort } from './ports.js';
import { cleanEnvironment, type Running, startDatagramProgram, startProgram } from './process.js';

/** What both ends must agree on, and their windows in segments; without a key kcptun's own default. */
export interface KcptunSettings {
  readonly crypt?: string;
  readonly key?: string;
  readonly mode?: 'normal' | 'fast' | 'fast2' | 'fast3';
  /** Data and parity shards; 0 and 0: none. */
  readonly fec?: readonly [number, number];
  readonly smux?: 1 | 2;
  readonly compression?: boolean;
  /** Absent: kcptun's defaults, which differ between its ends. */
  readonly windows?: number;
  readonly mtu?: number;
}

export interface KcptunOptions extends KcptunSettings {
  /** Go's scheduler threads; absent: one for each core. */
  readonly threads?: number;
  /** Sessions of a client, which its connections take in turn. */
  readonly sessions?: number;
}

export const KCPTUN_KEY = "it's a secrect";

export interface Kcptun extends Running {
  readonly port: number;
  readonly target: string;
}

function argumentsOf({
  crypt = 'aes',
  key = KCPTUN_KEY,
  mode = 'fast',
  fec: [data, parity] = [10, 3],
  smux = 1,
  compression = false,
  windows,
  mtu,
  sessions,
}: KcptunOptions): string[] {
  const values = { crypt, key, mode, datashard: data, parityshard: parity, smuxver: smux };
  const sizes = windows === undefined ? {} : { sndwnd: windows, rcvwnd: windows };
  const given = { ...values, ...sizes, ...(mtu && { mtu }), ...(sessions && { conn: sessions }) };
  const words = Object.entries(given).flatMap(([name, value]) => [`--${name}`, `${value}`]);
  return [...words, '--quiet', ...(compression ? [] : ['--nocomp'])];
}

const environment = ({ threads }: KcptunOptions): NodeJS.ProcessEnv =>
  cleanEnvironment(threads === undefined ? {} : { GOMAXPROCS: `${threads}` });

/** Its log is dropped: a pipe that nobody reads would stop it. */
const stdio = 'ignore';

/** Listens for KCP; each stream becomes a connection to `target`. */
export async function startKcptunServer(target: string, options: KcptunOptions = {}): Promise<Kcptun> {
  const port = await freePort();
  const args = ['--listen', `127.0.0.1:${port}`, '--target', target, ...argumentsOf(options)];
  const env = environment(options);
  const running = await startDatagramProgram('kcptun-server', args, port, { env, stdio });
  return { ...running, port, target: `127.0.0.1:${port}` };
}

/** Accepts TCP on `port`; each connection becomes a stream of its session with `remote`. */
export async function startKcptunClient(remote: string, options: KcptunOptions = {}): Promise<Kcptun> {
  const port = await freePort();
  const args = ['--localaddr', `127.0.0.1:${port}`, '--remoteaddr', remote, ...argumentsOf(options)];
  const running = await startProgram('kcptun-client', args, port, { env: environment(options), stdio });
  return { ...running, port, target: `127.0.0.1:${port}` };
}

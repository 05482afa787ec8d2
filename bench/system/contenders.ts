/** The contenders: direct connection to the endpoint, anyport, another build of anyport, HAProxy. */
import { writeFileSync } from 'node:fs';
import { type Daemon, startDaemon, type TestConfig } from '../../test/support/daemon.js';
import { total } from '../../test/support/metrics.js';
import { freePort } from '../../test/support/ports.js';
import { cpuNanosecondsEver } from '../../test/support/proc.js';
import { startProgram } from '../../test/support/process.js';
import { tempFolder } from '../../test/support/temp.js';
import type { Booked } from './workloads.js';

export interface Contender {
  readonly name: string;
  readonly port: number;
  /** Null: no proxy. */
  readonly pid: number | null;
  /** Cost of its start until ready. */
  readonly start: Start;
  /** Its counters so far; session ends are known from anyport only. */
  books?(ends: readonly string[]): Promise<Partial<Booked>>;
  /** Fetches /metrics; anyport only. */
  scrape?(): Promise<string>;
  /** Listening addresses, if there are more than `port`. */
  readonly listeners?: readonly string[];
  stop(): Promise<void>;
}

export interface Start {
  readonly cpuNanoseconds: number;
  /** NaN: it does not report readiness. */
  readonly seconds: number;
}

const UNKNOWN_START: Start = { cpuNanoseconds: NaN, seconds: NaN };

/** Configuration of the contenders for a workload. */
export interface Setting {
  /** HAProxy's best splicing mode for this workload; null: HAProxy does not take part. */
  readonly haproxy: Splicing | null;
  /** Overrides `--workers`. */
  readonly workers?: number;
  readonly accessLog?: boolean;
  /** Identify timeout. */
  readonly identifySeconds?: number;
  /** Number of listeners, on one port of different addresses. */
  readonly listeners?: number;
  /** HAProxy: a network that is refused at accept. */
  readonly refused?: string;
  /** HAProxy: waits for a whole request line, hello or command instead of its first bytes. */
  readonly wholeOpenings?: true;
}

export const CONNECTIONS_MAX = 9_000;
const IDENTIFY_SECONDS = 15;
/** Name of the contender that is another build of anyport. */
export const BESIDE = 'beside';

/** The server behind all contenders. */
export async function startEndpoint(program: string): Promise<Contender> {
  const port = await freePort();
  const { stop } = await startProgram(program, [`${port}`], port);
  return { name: 'direct', port, pid: null, start: UNKNOWN_START, stop };
}

/** `checkout`: folder of another build, e.g. the previous release. */
export async function startAnyport(
  endpointPort: number,
  setting: Setting,
  checkout?: string,
): Promise<Contender> {
  const addresses = await addressesFor(setting);
  const config = anyportConfig(endpointPort, addresses, setting);
  const options = { asInstalled: true, ...(checkout !== undefined && { checkout }) } as const;
  const began = Date.now();
  const daemon = await startDaemon(config, options);
  const ready = daemon.lines.find(({ msg }) => msg === 'ready');
  const seconds = (Date.parse(String(ready?.time)) - began) / 1000;
  return {
    name: checkout === undefined ? 'anyport' : BESIDE,
    port: daemon.port,
    pid: daemon.pid,
    start: { cpuNanoseconds: cpuNanosecondsEver(daemon.pid), seconds },
    books: (ends) => booksOf(daemon, ends),
    scrape: async () => (await daemon.get('/metrics')).text(),
    ...(addresses && { listeners: addresses }),
    stop: () => daemon.stop(),
  };
}

function anyportConfig(
  endpointPort: number,
  addresses: readonly string[] | null,
  setting: Setting,
): TestConfig {
  const target = `127.0.0.1:${endpointPort}`;
  const { workers = 1, accessLog = false, identifySeconds = IDENTIFY_SECONDS } = setting;
  return {
    server: {
      workers,
      max_connections: CONNECTIONS_MAX,
      identify_timeout: `${identifySeconds}s`,
      reload_on_change: undefined, // a key that the release before may not know
    },
    ...(addresses && {
      listeners: addresses.map((address, index) => ({
        name: `listener-${index}`,
        address,
      })),
    }),
    protocols: [
      { name: 'HTTP', target },
      { name: 'Redis', target },
    ],
    logging: { access_log: accessLog, access_log_rate: 100_000 },
  };
}

async function addressesFor({ listeners }: Setting): Promise<string[] | null> {
  if (listeners === undefined) return null;
  const port = await freePort();
  return Array.from({ length: listeners }, (_, index) => `127.1.${index >> 8}.${index & 255}:${port}`);
}

async function booksOf(daemon: Daemon, reasons: readonly string[]): Promise<Booked> {
  const samples = await daemon.metrics();
  const ended = reasons.map((reason) => [reason, total(samples, 'anyport_sessions_total', { reason })]);
  return { ended: Object.fromEntries(ended), lines: daemon.sessions.length };
}

export type Splicing = keyof typeof splicing;

/**
 * HAProxy's best setting depends on the workload: `splice-auto` copies most of a download, and forced splicing makes
 * small messages more expensive. Smart accept and connect, other buffer sizes, and pipes for short connections gain
 * nothing.
 */
const splicing = {
  auto: { global: '', defaults: 'option splice-auto' },
  always: {
    global: 'tune.pipesize 1048576',
    defaults: 'option splice-request\n  option splice-response',
  },
};

const openingsOf = ({ wholeOpenings }: Setting) =>
  wholeOpenings
    ? { http: 'req.proto_http', redis: String.raw`req.payload(0,0) -m reg ^\*[0-9]+\r\n\$[0-9]+\r\n` }
    : { http: 'req.payload(0,4) -m str "GET "', redis: 'req.payload(0,1) -m str "*"' };

/** HAProxy with as many threads as anyport has workers, identifying the same two protocols by their first bytes. */
const haproxyConfig = (port: number, endpointPort: number, how: Splicing, setting: Setting): string => `
global
  nbthread ${setting.workers ?? 1}
  maxconn ${CONNECTIONS_MAX}
  maxpipes 100
  ${setting.accessLog ? 'log stdout format raw local0' : ''}
  ${splicing[how].global}
defaults
  mode tcp
  ${setting.accessLog ? 'log global\n  option tcplog' : ''}
  ${splicing[how].defaults}
  timeout connect 5s
  timeout client 1h
  timeout server 1h
frontend bench
  bind 127.0.0.1:${port} backlog 4096
  ${setting.refused ? `tcp-request connection reject if { src ${setting.refused} }` : ''}
  tcp-request inspect-delay ${setting.identifySeconds ?? IDENTIFY_SECONDS}s
  tcp-request content accept if { ${openingsOf(setting).http} }
  tcp-request content accept if { ${openingsOf(setting).redis} }
  tcp-request content reject if WAIT_END
  use_backend http if { ${openingsOf(setting).http} }
  use_backend redis if { ${openingsOf(setting).redis} }
backend http
  server endpoint 127.0.0.1:${endpointPort}
backend redis
  server endpoint 127.0.0.1:${endpointPort}
`;

export async function startHaproxy(
  endpointPort: number,
  how: Splicing,
  setting: Setting,
): Promise<Contender> {
  const folder = tempFolder();
  const port = await freePort();
  writeFileSync(`${folder.path}/haproxy.cfg`, haproxyConfig(port, endpointPort, how, setting));
  const args = ['-db', '-f', `${folder.path}/haproxy.cfg`];
  const haproxy = await startProgram('haproxy', args, port, { stdio: ['ignore', 'pipe', 'pipe'] });
  let lines = 0;
  haproxy.child.stdout?.on('data', (bytes: Buffer) => {
    for (const byte of bytes) lines += byte === LINE_FEED ? 1 : 0;
  });
  const stop = async () => {
    await haproxy.stop();
    folder.remove();
  };
  return {
    name: 'HAProxy',
    port,
    pid: haproxy.pid,
    start: { cpuNanoseconds: cpuNanosecondsEver(haproxy.pid), seconds: NaN },
    books: async () => ({ lines }),
    stop,
  };
}

const LINE_FEED = 0x0a;

/** What is measured: the way to the endpoint without a proxy, through anyport, through another build, through HAProxy. */
import { writeFileSync } from 'node:fs';
import { startDaemon } from '../../test/support/daemon.js';
import { freePort } from '../../test/support/ports.js';
import { startProgram } from '../../test/support/process.js';
import { tempFolder } from '../../test/support/temp.js';

export interface Contender {
  readonly name: string;
  readonly port: number;
  /** Null: nothing in between. */
  readonly pid: number | null;
  stop(): Promise<void>;
}

export const CONNECTIONS_MAX = 9_000;
/** The contender that is another build of anyport. */
export const BESIDE = 'beside';

/** The server behind all of them. */
export async function startEndpoint(program: string): Promise<Contender> {
  const port = await freePort();
  const { stop } = await startProgram(program, [`${port}`], port);
  return { name: 'direct', port, pid: null, stop };
}

/** `checkout`: folder of another build, e.g. of the release before. */
export async function startAnyport(
  endpointPort: number,
  workers: number,
  checkout?: string,
): Promise<Contender> {
  const target = `127.0.0.1:${endpointPort}`;
  const config = {
    server: { workers, max_connections: CONNECTIONS_MAX },
    protocols: [
      { name: 'HTTP', target },
      { name: 'Redis', target },
    ],
    logging: { access_log: false },
  };
  const daemon = await startDaemon(config, checkout === undefined ? {} : { checkout });
  const name = checkout === undefined ? 'anyport' : BESIDE;
  return { name, port: daemon.port, pid: daemon.pid, stop: () => daemon.stop() };
}

export type Splicing = keyof typeof splicing;

/**
 * What is best for HAProxy differs: `splice-auto` copies nearly all of a download, and to splice always makes small
 * messages dearer. Smart accepts and connects, other buffers and pipes for short connections gain nothing.
 */
const splicing = {
  auto: { global: '', defaults: 'option splice-auto' },
  always: {
    global: 'tune.pipesize 1048576',
    defaults: 'option splice-request\n  option splice-response',
  },
};

/** HAProxy with one thread, identifying the same two protocols by their first bytes. */
const haproxyConfig = (port: number, endpointPort: number, how: Splicing): string => `
global
  nbthread 1
  maxconn ${CONNECTIONS_MAX}
  maxpipes 100
  ${splicing[how].global}
defaults
  mode tcp
  ${splicing[how].defaults}
  timeout connect 5s
  timeout client 1h
  timeout server 1h
frontend bench
  bind 127.0.0.1:${port} backlog 4096
  tcp-request inspect-delay 15s
  tcp-request content accept if { req.payload(0,4) -m str "GET " }
  tcp-request content accept if { req.payload(0,1) -m str "*" }
  tcp-request content reject if WAIT_END
  use_backend http if { req.payload(0,4) -m str "GET " }
  use_backend redis if { req.payload(0,1) -m str "*" }
backend http
  server endpoint 127.0.0.1:${endpointPort}
backend redis
  server endpoint 127.0.0.1:${endpointPort}
`;

export async function startHaproxy(endpointPort: number, how: Splicing): Promise<Contender> {
  const folder = tempFolder();
  const port = await freePort();
  writeFileSync(`${folder.path}/haproxy.cfg`, haproxyConfig(port, endpointPort, how));
  const haproxy = await startProgram('haproxy', ['-db', '-q', '-f', `${folder.path}/haproxy.cfg`], port);
  const stop = async () => {
    await haproxy.stop();
    folder.remove();
  };
  return { name: 'HAProxy', port, pid: haproxy.pid, stop };
}

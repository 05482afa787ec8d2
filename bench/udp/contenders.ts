/** What relays datagrams: nothing (direct), nginx, the bare relay with and without offload, and anyport. */

import { existsSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { startDaemon, type TestConfig } from '../../test/support/daemon.js';
import { freePort } from '../../test/support/ports.js';
import { childrenOf, isBoundUdp } from '../../test/support/proc.js';
import { startDatagramProgram } from '../../test/support/process.js';
import { provide } from '../../test/support/steady.js';
import { tempFolder } from '../../test/support/temp.js';
import { eventually } from '../../test/support/wait.js';
import type { Workload } from './workloads.js';

export interface Relay {
  readonly port: number;
  /** Null: nothing is between. */
  readonly pid: number | null;
  stop(): Promise<void>;
}

/** `target`: port of the endpoint. */
export type Start = (target: number, workload: Workload) => Promise<Relay>;

/** The relay has a core of its own, as far as there are two. */
const CORES = availableParallelism();
const pin = (core: number): readonly string[] => ['taskset', '-c', `${core % CORES}`];
export const cores = { relay: pin(0), clients: pin(1), endpoint: pin(CORES > 2 ? 2 : 1) };

/** Above what the workloads open. */
const FLOWS_MAX = 18_000;
const IDLE_SECONDS = 60;

const startDirect: Start = async (target) => ({ port: target, pid: null, stop: async () => {} });

const startBare =
  (offload: number): Start =>
  async (target) => {
    const port = await freePort();
    const program = await provide('udp_relay');
    return startPinned([program, `port=${port}`, `to=${target}`, `offload=${offload}`], port);
  };

async function startPinned(command: readonly string[], port: number): Promise<Relay> {
  const [program = '', ...args] = [...cores.relay, ...command];
  const { pid, stop } = await startDatagramProgram(program, args, port);
  return { port, pid, stop };
}

const NGINX_STREAM = '/usr/lib/nginx/modules/ngx_stream_module.so';

const nginxConfig = (folder: string, port: number, target: number, once: boolean): string => `
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr crit;
load_module ${NGINX_STREAM};
events { worker_connections ${2 * FLOWS_MAX}; multi_accept on; }
stream {
  server {
    listen 127.0.0.1:${port} udp reuseport rcvbuf=4m;
    proxy_pass 127.0.0.1:${target};
    proxy_timeout ${IDLE_SECONDS}s;
    ${once ? 'proxy_responses 1;' : ''}
  }
}
`;

const startNginx: Start = async (target, { once = false }) => {
  const port = await freePort();
  const folder = tempFolder();
  const file = `${folder.path}/nginx.conf`;
  writeFileSync(file, nginxConfig(folder.path, port, target, once));
  const { pid: master, stop } = await startPinned(['nginx', '-e', 'stderr', '-c', file], port);
  const pid = await eventually('a worker of nginx', () => childrenOf(master ?? -1)[0]);
  const stopAll = async () => {
    await stop();
    folder.remove();
  };
  return { port, pid, stop: stopAll };
};

const upstream = (target: number, { once }: Workload) => ({
  endpoints: [`127.0.0.1:${target}`],
  ...(once && { udp: { responses: 1 } }),
});

/** As `--forward PORT/udp=TARGET` is, which has no place for what a target has besides. */
const forwarding = (port: number, target: number, workload: Workload): TestConfig => ({
  listeners: [],
  forwards: [
    { name: 'front', listen: `127.0.0.1:${port}`, scheme: 'udp', target: upstream(target, workload) },
  ],
});

const identifying = (port: number, target: number, workload: Workload): TestConfig => ({
  listeners: [{ name: 'front', address: `127.0.0.1:${port}`, transport: 'udp' }],
  protocols: ['DNS', 'STUN', 'QUIC'].map((name) => ({ name })),
  routes: [
    { when: { protocol: 'STUN' }, to: 'others' },
    { when: { protocol: 'DNS' }, to: 'behind' },
  ],
  upstreams: { behind: upstream(target, workload), others: { endpoints: ['127.0.0.1:9'] } },
});

/** `checkout`: folder of another build. */
export const startAnyport =
  (configure: typeof forwarding, checkout?: string): Start =>
  async (target, workload) => {
    const port = await freePort();
    const config = configure(port, target, workload);
    const daemon = await startDaemon(
      {
        ...config,
        server: {
          workers: 1,
          reload_on_change: undefined, // a key that the release before may not know
          udp: { idle_timeout: `${IDLE_SECONDS}s`, max_flows: FLOWS_MAX, max_flows_per_ip: FLOWS_MAX },
        },
        logging: { access_log: false },
      },
      { asInstalled: true, wrapper: cores.relay, ...(checkout !== undefined && { checkout }) },
    );
    await eventually(`a UDP socket on port ${port}`, () => isBoundUdp(port));
    return { port, pid: daemon.pid, stop: () => daemon.stop() };
  };

export const RIVAL = 'nginx';
/** Flows that are forwarded without a look; where datagrams are identified there is another one. */
export const OURS = ['anyport', 'forwarding'] as const;
export const BESIDE = 'beside';
export const FLOORS = ['floor', 'offload'] as const;

/** Of whatever workload. */
export const contenderNames = (): string[] => ['direct', RIVAL, ...FLOORS, ...OURS, BESIDE];

/** Contenders of a workload by name, in the order of the table's rows. `beside`: folder of another build. */
export function contendersFor({ identified, once }: Workload, beside?: string): Map<string, Start> {
  const ours = identified ? identifying : forwarding;
  const [floor, offload] = FLOORS;
  return new Map<string, Start>([
    ['direct', startDirect],
    ...(existsSync(NGINX_STREAM) ? ([[RIVAL, startNginx]] as const) : []),
    ...(once
      ? []
      : ([
          [floor, startBare(0)],
          [offload, startBare(1)],
        ] as const)), // they end no flow
    [OURS[0], startAnyport(ours)],
    ...(identified ? ([[OURS[1], startAnyport(forwarding)]] as const) : []),
    ...(beside === undefined ? [] : ([[BESIDE, startAnyport(ours, beside)]] as const)),
  ]);
}

/** A validated configuration: one listener whose sessions all go to a handler. */

import { noLists } from '../../src/config/validate/lists.js';
import type { Config, ServerConfig } from '../../src/model/config.js';
import { optionsWith } from '../support/plan.js';

export const host = '127.0.0.1';

const restless = new URL('./restless-handler.mjs', import.meta.url).href;

const server: ServerConfig = {
  workers: 2,
  accept: 'reuseport',
  maxConnections: 100,
  maxConnectionsPerSource: 0,
  maxIdentifying: 0,
  tarpitMax: 256,
  tarpitHoldMs: 60_000,
  bufferBytes: 32_768,
  identifyTimeoutMs: 15_000,
  identifyMinBytes: 1024,
  longOpeningsPerSource: 64,
  identifyMaxBytes: 65_536,
  dialTimeoutMs: 5000,
  idleTimeoutMs: 60_000,
  halfCloseTimeoutMs: 60_000,
  udp: { idleTimeoutMs: 60_000, maxFlows: 65_536, maxFlowsPerSource: 1024, receiveBufferBytes: 4_194_304 },
  cacheTtlMs: 300_000,
  drainDelayMs: 0,
  gracefulShutdownTimeoutMs: 60_000,
  upgradeTimeoutMs: 30_000,
  reloadOnChange: true,
  identity: null,
};

export interface Wanted {
  readonly server?: Partial<ServerConfig>;
  readonly monitoringPort: number;
  readonly handler?: string;
}

/** All sessions go to the handler. */
export function configOf({ server: some, monitoringPort, handler = restless }: Wanted): Config {
  const monitoring = { host, port: monitoringPort };
  const onUnknown = { kind: 'upstream', upstream: 'restless' } as const;
  const address = { kind: 'inet', host, port: 0, text: `${host}:0` } as const;
  return {
    server: { ...server, ...some },
    listeners: [
      {
        name: 'front',
        address,
        protocols: [],
        onUnknown,
        onSilence: null,
        forward: null,
        transport: 'tcp' as const,
        kcp: null,
        proxyProtocol: null,
        maxConnections: 0,
        lists: noLists,
      },
    ],
    protocols: [],
    routes: [],
    upstreams: [{ name: 'restless', handler, endpoints: [], via: null, options: optionsWith() }],
    kcp: [],
    connectProxy: null,
    docker: null,
    distributed: null,
    security: { rateLimit: null, guard: null, banExport: null, lists: noLists },
    monitoring: { metrics: monitoring, health: monitoring },
    admin: null,
    origins: [],
    logging: { file: null, level: 'info', format: 'json', accessLog: true, accessLogRate: 1000 },
  };
}

/** For daemons whose configuration stays. */
export const noSource = {
  document: {},
  name: 'test',
  reload: () => Promise.reject(new Error('there is no file')),
  check: () => Promise.reject(new Error('there is no file')),
};

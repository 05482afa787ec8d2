/** What a configuration asks of the machine, in numbers of things; what each of them takes is in the tables beside. */
import { isIP } from 'node:net';
import { memoryOf, parseHash } from '../forward-proxy/users/index.js';
import type { Config, EndpointConfig, UpstreamConfig } from '../model/config.js';
import { mayEndBy } from '../model/endings.js';
import {
  hasDatagramSocket,
  takesConnections,
  takesDatagrams,
  takesLinks,
  takesStreams,
} from '../model/transports.js';

export interface Demand {
  /** 0: no listener takes any. */
  readonly connections: number;
  /** Sessions over datagrams; 0: no listener takes any. */
  readonly flows: number;
  readonly workers: number;
  readonly listeningSockets: number;
  /** Those of them that take datagrams, and the receive buffer of each in bytes. */
  readonly datagramSockets: number;
  readonly receiveBufferBytes: number;
  /** Handoff mode: the primary accepts. */
  readonly handoff: boolean;
  /** Servers of metrics and health. */
  readonly monitors: number;
  /** Whether there is a control interface. */
  readonly control: boolean;
  /** Connections opened ahead. */
  readonly warm: number;
  /** Whether any session may be served by an in-process handler. */
  readonly handlers: boolean;
  /** Endpoints with a health check. */
  readonly checked: number;
  /** Connections that the tarpit may hold. */
  readonly tarpit: number;
  /** Clients name where they want to go: some are refused in words, and addresses of names are tried at once. */
  readonly proxy: boolean;
  /** Sessions are streams of links: of clients, and to endpoints. */
  readonly links: { readonly in: boolean; readonly out: boolean };
  /** Sessions reach a proxy by TLS. */
  readonly secured: boolean;
  /** Sockets of links of our own, at most. */
  readonly linkSockets: number;
  /** Endpoints are host names: of several addresses, some are tried at once. */
  readonly names: boolean;
  /** Something is asked of sources that has to be remembered. */
  readonly sources: boolean;
  /** Size of a copy buffer in bytes. */
  readonly bufferBytes: number;
  /** What a password of the proxy's users takes at most while it is computed; 0: there are none. */
  readonly passwordBytes: number;
}

export function demandOf(config: Config): Demand {
  const { server, security, listeners, upstreams, connectProxy, monitoring, admin } = config;
  const handoff = server.accept === 'handoff';
  const streamSockets = listeners.filter(takesConnections).length;
  const datagramSockets = listeners.filter(hasDatagramSocket).length * server.workers;
  const linked = upstreams.filter(({ options }) => options.over === 'kcp');
  return {
    connections: listeners.some(takesStreams) ? server.maxConnections : 0,
    flows: listeners.some(takesDatagrams) ? server.udp.maxFlows : 0,
    workers: server.workers,
    listeningSockets: streamSockets * (handoff ? 1 : server.workers) + datagramSockets,
    datagramSockets,
    receiveBufferBytes: server.udp.receiveBufferBytes,
    handoff,
    monitors: [monitoring.metrics, monitoring.health].filter((each) => each !== null).length,
    control: admin !== null,
    warm: sumOf(upstreams, ({ options, endpoints }) => options.pool.warm * endpoints.length),
    handlers: upstreams.some(({ handler }) => handler !== null),
    checked: sumOf(upstreams, ({ options, endpoints }) => (options.health_check ? endpoints.length : 0)),
    proxy: connectProxy !== null,
    tarpit: mayEndBy(config, 'tarpit') ? server.tarpitMax : 0,
    links: { in: listeners.some(takesLinks), out: linked.length > 0 },
    secured: upstreams.some(({ via }) => via?.tls),
    linkSockets: server.workers * sumOf(linked, ({ endpoints }) => endpoints.length),
    names: upstreams.some(({ endpoints }) => endpoints.some(isName)),
    sources: server.maxConnectionsPerSource > 0 || security.rateLimit !== null || security.guard !== null,
    bufferBytes: server.bufferBytes,
    passwordBytes: passwordBytesOf(config),
  };
}

const passwordBytesOf = ({ connectProxy }: Config): number =>
  (connectProxy?.users ?? []).reduce((most, { hash }) => {
    const parsed = parseHash(hash);
    return 'fault' in parsed ? most : Math.max(most, memoryOf(parsed));
  }, 0);

const sumOf = (upstreams: readonly UpstreamConfig[], each: (upstream: UpstreamConfig) => number): number =>
  upstreams.reduce((sum, upstream) => sum + each(upstream), 0);

function isName({ address }: EndpointConfig): boolean {
  if ('service' in address) return true;
  return 'host' in address && isIP(address.host) === 0;
}

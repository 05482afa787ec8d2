/**
 * Local ports: TCP takes one for each connection at once from one source address to one address of an endpoint. With the
 * client's own address as the source they are the client's. UDP takes one for each flow, wherever it goes. Sessions through a
 * link have none of their own.
 */
import type { Config, EndpointConfig, UpstreamConfig } from '../model/config.js';
import { takesDatagrams, takesStreams } from '../model/transports.js';

export interface PortNeed {
  readonly upstream: string;
  readonly endpoint: string;
  /** Connections at once to one address of the endpoint, if all sessions go there. */
  readonly needed: number;
}

/** Of the endpoint that may need most; null: none needs any. */
export function mostLocalPorts(config: Config): PortNeed | null {
  if (!config.listeners.some(takesStreams)) return null;
  const needs = config.upstreams.flatMap((upstream) =>
    upstream.options.source.transparent || upstream.options.over === 'kcp'
      ? []
      : upstream.endpoints.filter(isInet).map((endpoint) => needOf(config, upstream, endpoint)),
  );
  return needs.reduce<PortNeed | null>(
    (most, need) => (need.needed > (most?.needed ?? 0) ? need : most),
    null,
  );
}

/** If all flows go to endpoints that see this machine's address. */
export function flowPorts({ server, listeners, upstreams }: Config): number {
  const isOwn = upstreams.some(
    ({ endpoints, options }) => !options.source.transparent && endpoints.some(isInet),
  );
  return isOwn && listeners.some(takesDatagrams) ? server.udp.maxFlows : 0;
}

const isInet = ({ address }: EndpointConfig): boolean => !('path' in address);

function needOf({ server }: Config, { name, options }: UpstreamConfig, endpoint: EndpointConfig): PortNeed {
  const limit = options.max_connections === 0 ? server.maxConnections : options.max_connections;
  const sessions = Math.min(limit, server.maxConnections);
  const check = options.health_check === undefined ? 0 : 1;
  return { upstream: name, endpoint: endpoint.name, needed: sessions + options.pool.warm + check };
}

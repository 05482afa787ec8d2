/** Listeners for datagrams, and where what they accept leads. */
import { isLoopback } from '../base/network.js';
import type { Config, ListenerConfig, RouteConfig, TargetConfig } from '../model/config.js';
import { hasDatagramSocket, takesDatagrams } from '../model/transports.js';

export const datagramListeners = ({ listeners }: Config): ListenerConfig[] =>
  listeners.filter(takesDatagrams);

/** With those of links alone. */
export const datagramSockets = ({ listeners }: Config): ListenerConfig[] =>
  listeners.filter(hasDatagramSocket);

/** Whether others than named networks send there. */
export const isPublic = ({ security }: Config, { address, lists }: ListenerConfig): boolean =>
  address.kind === 'inet' &&
  !isLoopback(address.host) &&
  [security.lists.allowed, lists.allowed].every(
    ({ networks, files }) => networks.length === 0 && files.length === 0,
  );

/** Where datagrams of a protocol go. */
export interface Way {
  /** `routes[2]`, or `protocols.DNS`. */
  readonly by: string;
  readonly upstream: string;
}

/** From the listener, for the protocol of this id. A forward knows no protocols: `port` says whose server is there. */
export function waysOf(
  config: Config,
  listener: ListenerConfig,
  { id, port }: { readonly id: string; readonly port?: number },
): Way[] {
  const { forward } = listener;
  if (forward !== null) {
    const upstream = config.upstreams.find(({ name }) => name === forward.upstream);
    const isThere = upstream?.endpoints.some(({ address }) => 'port' in address && address.port === port);
    return isThere ? [{ by: forward.at, upstream: forward.upstream }] : [];
  }
  const protocol = config.protocols.find((each) => each.id === id);
  if (protocol === undefined || !listener.protocols.includes(protocol.name)) return [];
  const routed = config.routes
    .filter(({ when }) => mayBe(when.protocol, protocol.name) && mayBe(when.listener, listener.name))
    .map(({ name, to }: RouteConfig) => ({ by: name, to }));
  const ways = [
    ...routed,
    { by: `protocols.${protocol.name}`, to: protocol.target },
    { by: `listener ${listener.name}, on_unknown`, to: listener.onUnknown },
  ];
  return ways.flatMap(({ by, to }) => (isUpstream(to) ? [{ by, upstream: to.upstream }] : []));
}

const isUpstream = (to: TargetConfig | null): to is Extract<TargetConfig, { kind: 'upstream' }> =>
  to?.kind === 'upstream';

/** A condition of one value or several; absent: any. */
const mayBe = (condition: unknown, value: string): boolean =>
  condition === undefined || [condition].flat().includes(value);

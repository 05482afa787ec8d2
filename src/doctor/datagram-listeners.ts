/** Listeners for datagrams, and what they accept. */
import type { Config, ListenerConfig } from '../model/config.js';

export const datagramListeners = ({ listeners }: Config): ListenerConfig[] =>
  listeners.filter(({ transport }) => transport === 'udp' || transport === 'tcp+udp');

/** Ids of the protocols that they name. */
export function datagramProtocols(config: Config): Set<string> {
  const names = new Set(datagramListeners(config).flatMap(({ protocols }) => protocols));
  return new Set(config.protocols.filter(({ name }) => names.has(name)).map(({ id }) => id));
}

/** What a forward is called. Pure. */
import { parseListen } from '../base/address.js';
import type { Document } from '../model/config.js';

/** Names of the listeners and upstreams that a forward may make; where a range of ports has one name, it stands before each. */
export function namesOfForward({ name, listen, scheme }: Document): string[] {
  const sockets = parseListen(String(listen)) ?? [];
  const portOf = (text: string) => text.slice(text.lastIndexOf(':') + 1);
  if (typeof name !== 'string') return sockets.map(({ text }) => (scheme === 'udp' ? `${text}/udp` : text));
  return [name, ...sockets.map(({ text }) => `${name}:${portOf(text)}`)];
}

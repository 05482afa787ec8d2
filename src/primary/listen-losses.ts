/**
 * Connections that the kernel has dropped before they could be accepted. It counts them for all sockets of the network
 * namespace together, without a sign to those who listen.
 */
import { readFileSync } from 'node:fs';

export interface ListenLosses {
  /** Handshakes that found an accept backlog full. */
  readonly overflows: number;
  /** All that were dropped for a listening socket, those included. */
  readonly drops: number;
}

const PATH = '/proc/self/net/netstat';

/** Null: the kernel does not say. */
export function listenLosses(read: () => string = () => readFileSync(PATH, 'utf8')): ListenLosses | null {
  const rows = extendedRows(read);
  if (rows === null) return null;
  const [names, values] = rows;
  const of = (name: string) => Number(values[names.indexOf(name)]);
  const losses = { overflows: of('ListenOverflows'), drops: of('ListenDrops') };
  return Object.values(losses).every(Number.isSafeInteger) ? losses : null;
}

/** A row of names, and one of values below it; each begins with `TcpExt:`. */
function extendedRows(read: () => string): readonly [string[], string[]] | null {
  try {
    const [names, values] = read()
      .split('\n')
      .filter((line) => line.startsWith('TcpExt:'))
      .map((line) => line.trim().split(/\s+/));
    return names === undefined || values === undefined ? null : [names, values];
  } catch {
    return null;
  }
}

/** Clients that come once: whether each was served, or refused before a byte was read. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { expect } from 'vitest';
import { redisPing } from '../../support/flights.js';
import { Peer } from '../../support/tcp.js';
import { eventually } from '../../support/wait.js';

export type Visit = 'served' | 'refused';

export interface Visitor {
  readonly from?: string;
  readonly host?: string;
  /** Announced by the PROXY header that is sent first. */
  readonly announced?: string;
  readonly opening?: string;
}

/** Null: it was reset instead of answered, perhaps before it knew that it was connected. */
export async function enter(
  port: number,
  { from = '127.0.0.1', host = '127.0.0.1', announced, opening = redisPing }: Visitor = {},
): Promise<Peer | null> {
  const socket = connect({ port, host, localAddress: from, allowHalfOpen: true, noDelay: true });
  const connected = await once(socket, 'connect').then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET') return false;
      throw error;
    },
  );
  if (!connected) return null;
  const peer = new Peer(socket);
  socket.on('error', () => {});
  socket.write((announced === undefined ? '' : headerOf(announced)) + opening);
  await eventually('an answer, or the end', () => peer.length > 0 || peer.ending !== undefined);
  if (peer.length > 0) return peer;
  expect(peer.ending).toBe('reset');
  return null;
}

export async function visit(port: number, visitor?: Visitor): Promise<Visit> {
  const peer = await enter(port, visitor);
  peer?.reset();
  return peer === null ? 'refused' : 'served';
}

export interface Visits {
  readonly served: number;
  readonly refused: number;
  /** From before the first to after the last. */
  readonly seconds: number;
}

/** One after the other. */
export async function visits(count: number, port: number, visitor?: Visitor): Promise<Visits> {
  const begin = performance.now();
  let served = 0;
  for (let n = 0; n < count; n += 1) if ((await visit(port, visitor)) === 'served') served += 1;
  return { served, refused: count - served, seconds: (performance.now() - begin) / 1000 };
}

/** Version 1. */
const headerOf = (source: string): string =>
  source.includes(':')
    ? `PROXY TCP6 ${source} ::1 4000 80\r\n`
    : `PROXY TCP4 ${source} 127.0.0.1 4000 80\r\n`;

/**
 * A large object sent to another thread in pieces. A message is read in one go, however large; pieces wait in a port
 * of their own until the receiver takes them, one by one.
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import type { Slices } from './slices.js';

/** Items of an array that travel together: reading them takes a fraction of a slice. */
const ITEMS = 32;

interface Piece {
  readonly key: string;
  readonly items: readonly unknown[];
}

/** `head`: the object with its long arrays empty; `rest`: their contents, for one receiver. */
export function inParcels<Whole extends object>(
  whole: Whole,
): { readonly head: Whole; readonly rest: MessagePort } {
  const { port1, port2 } = new MessageChannel();
  const head = { ...whole } as Record<string, unknown>;
  for (const [key, items] of Object.entries(whole)) {
    if (!Array.isArray(items) || items.length <= ITEMS) continue;
    head[key] = [];
    for (let from = 0; from < items.length; from += ITEMS) {
      port1.postMessage({ key, items: items.slice(from, from + ITEMS) } satisfies Piece);
    }
  }
  port1.close(); // what was sent stays in the other port
  return { head: head as Whole, rest: port2 };
}

/** The object again. Reads a piece at a time, and closes the port. */
export async function fromParcels<Whole extends object>(
  head: Whole,
  rest: MessagePort,
  slices: Slices,
): Promise<Whole> {
  const arrays = new Map<string, unknown[]>();
  for (let piece = next(rest); piece !== undefined; piece = next(rest)) {
    const items = arrays.get(piece.key);
    if (items === undefined) arrays.set(piece.key, [...piece.items]);
    else items.push(...piece.items);
    await slices.breathe();
  }
  rest.close();
  return { ...head, ...Object.fromEntries(arrays) };
}

const next = (port: MessagePort): Piece | undefined => receiveMessageOnPort(port)?.message;

/**
 * A large object sent to another thread in pieces. A message is read in one go, however large; pieces wait in a port
 * of their own until the receiver takes them, one by one. What the receiver has already is not sent again.
 */
import { isDeepStrictEqual } from 'node:util';
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import type { Slices } from './slices.js';

/** Items of an array that travel together: reading them takes a fraction of a slice. */
const ITEMS = 32;

/** Part of an array: items, or those at the same place of the receiver's array. */
interface Piece {
  readonly key: string;
  readonly items?: readonly unknown[];
  readonly same?: { readonly from: number; readonly to: number };
}

/**
 * `head`: the object with its long arrays empty; `rest`: their contents, for one receiver. `base`: an object that the
 * receiver has; items that both share (`sharing`) are named instead of sent.
 */
export function inParcels<Whole extends object>(
  whole: Whole,
  base?: Whole,
): { readonly head: Whole; readonly rest: MessagePort } {
  const { port1, port2 } = new MessageChannel();
  const head = { ...whole } as Record<string, unknown>;
  for (const [key, items] of Object.entries(whole)) {
    if (!isLong(items)) continue;
    head[key] = [];
    const known = base === undefined ? [] : (base as Record<string, unknown>)[key];
    for (const piece of piecesOf(key, items, Array.isArray(known) ? known : [])) port1.postMessage(piece);
  }
  port1.close(); // what was sent stays in the other port
  return { head: head as Whole, rest: port2 };
}

const isLong = (value: unknown): value is readonly unknown[] => Array.isArray(value) && value.length > ITEMS;

function* piecesOf(key: string, items: readonly unknown[], known: readonly unknown[]): Generator<Piece> {
  const isKnown = (at: number) => at < known.length && items[at] === known[at];
  for (let from = 0, to = 0; from < items.length; from = to) {
    const isSame = isKnown(from);
    do to += 1;
    while (to < items.length && isKnown(to) === isSame && (isSame || to - from < ITEMS));
    yield isSame ? { key, same: { from, to } } : { key, items: items.slice(from, to) };
  }
}

/** The object again. Reads a piece at a time, and closes the port. `base`: as it was sent with. */
export async function fromParcels<Whole extends object>(
  head: Whole,
  rest: MessagePort,
  slices: Slices,
  base?: Whole,
): Promise<Whole> {
  const arrays = new Map<string, unknown[]>();
  for (let piece = next(rest); piece !== undefined; piece = next(rest)) {
    const items = itemsOf(piece, base);
    const before = arrays.get(piece.key);
    if (before === undefined) arrays.set(piece.key, [...items]);
    else before.push(...items);
    await slices.breathe();
  }
  rest.close();
  return { ...head, ...Object.fromEntries(arrays) };
}

function itemsOf({ key, items, same }: Piece, base: object | undefined): readonly unknown[] {
  if (items !== undefined) return items;
  const known = (base as Record<string, unknown> | undefined)?.[key];
  if (same === undefined || !Array.isArray(known)) throw new Error(`there is nothing to take ${key} from`);
  return known.slice(same.from, same.to);
}

const next = (port: MessagePort): Piece | undefined => receiveMessageOnPort(port)?.message;

/**
 * The items of a long list, taken from `base` where they are the same, at the same place, there. A short one is sent whole,
 * and is smaller there with what its items have in common.
 */
export function sharing<Item>(items: readonly Item[], base: readonly Item[]): readonly Item[] {
  if (!isLong(items)) return items;
  return items.map((item, at) => {
    const known = base[at];
    return known !== undefined && isDeepStrictEqual(item, known) ? known : item;
  });
}

/** A list whose items have parts in common with each other: `base` where it is the same as a whole, else itself. */
export const sharingWhole = <Item>(items: readonly Item[], base: readonly Item[]): readonly Item[] =>
  isDeepStrictEqual(items, base) ? base : items;

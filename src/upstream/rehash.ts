/** What both hashes do where the endpoint of a hash is passed over: another hash of it, so that clients spread. */
import { mixed } from './hash.js';
import type { Line } from './line.js';
import type { Field } from './strategy.js';

/** Hashes tried before a scan. */
const HASHES_MAX = 8;

const HASHES = 2 ** 32;

/** `at`: the endpoint of a hash. `line`: all that have a weight, at least one. -1: all are passed over. */
export function pickByHash(hash: number, at: (hash: number) => number, line: Line, field: Field): number {
  const first = at(hash);
  if (!field.passesOver(first)) return first;
  let next = hash;
  for (let count = 1; count < HASHES_MAX; count++) {
    next = mixed(next + count);
    const endpoint = at(next);
    if (!field.passesOver(endpoint)) return endpoint;
  }
  return line.firstFrom((next / HASHES) * line.length, (endpoint) => field.passesOver(endpoint));
}

/** Mutations of good bytes: overwritten, cut out, repeated, cut off. */
import type { Random } from './random.js';

/** Boundary values of lengths and types. */
const edges = [0x00, 0x01, 0x0a, 0x0d, 0x20, 0x7f, 0x80, 0xff];

const spoilers: readonly ((bytes: Buffer, at: number, random: Random) => Buffer)[] = [
  (bytes, at, random) => withByte(bytes, at, random(256)),
  (bytes, at, random) => withByte(bytes, at, edges[random(edges.length)] ?? 0),
  (bytes, at, random) => Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + random(8))]),
  (bytes, at, random) => Buffer.concat([bytes.subarray(0, at + random(8)), bytes.subarray(at)]),
  (bytes, at) => bytes.subarray(0, at),
];

function withByte(bytes: Buffer, at: number, byte: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = byte;
  return copy;
}

export function mutate(seed: Uint8Array, random: Random): Buffer {
  let mutant: Buffer = Buffer.from(seed);
  for (let left = 1 + random(4); left > 0 && mutant.length > 0; left--) {
    const spoil = spoilers[random(spoilers.length)];
    if (spoil) mutant = spoil(mutant, random(mutant.length), random);
  }
  return mutant;
}

/**
 * Facts parsers and confirmations take linear time. Inputs are the worst cases: hand-written ones, and recorded
 * openings with a repeated piece.
 */
import { describe, expect, test } from 'vitest';
import { createRandom, type Random } from '../support/random.js';
import { type Endless, endless } from './endless.js';
import { type Parser, parsers } from './parsers.js';

type Ask = Parser['ask'];

/** Doubling sizes, all below the lengths that the openings announce. */
const sizes = [480, 960, 1920, 3840, 7680, 15_360, 30_720, 61_440];
/**
 * Consecutive doublings that must all be expensive to count as quadratic: a parser that waits for its bytes and then
 * reads them all has one such step, and one with a read limit is quadratic only below it.
 */
const doublings = 3;
/** Growth per doubling: 2 when linear, 4 when quadratic. */
const growthMax = 3;
/** Repeats: noise differs between attempts, quadratic growth does not. */
const attempts = 4;
/** Pieces tried per parser, and how many of the slowest are measured. */
const pieces = 200;
const slowest = 3;

/** The opening with its unit repeated up to `size` bytes. */
function grown({ head, unit }: Endless, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  head.copy(bytes);
  if (size > head.length) bytes.fill(unit, head.length);
  return bytes;
}

/** Prefixes per opening; cuts fall within units as well as between them. */
const cuts = 16;
function prefixes(bytes: Buffer): Buffer[] {
  return Array.from({ length: cuts }, (_, i) =>
    bytes.subarray(0, Math.max(1, Math.round((bytes.length * (i + 1)) / cuts) - (i + 1 < cuts ? i : 0))),
  );
}

/** Milliseconds for all prefixes: minimum of several rounds, each long enough for the clock. */
function cost(ask: Ask, bytes: Buffer): number {
  const list = prefixes(bytes);
  let best = Number.POSITIVE_INFINITY;
  let calls = 1;
  for (let round = 0; round < 5; round++) {
    const start = performance.now();
    for (let i = 0; i < calls; i++) for (const prefix of list) ask(prefix);
    const took = performance.now() - start;
    best = Math.min(best, took / calls);
    if (took < 0.2) calls *= 4;
  }
  return best;
}

/** Sustained growth per doubling. */
function growth(ask: Ask, opening: Endless): number {
  // Longest first, so that the JIT has compiled the parser for the shorter ones.
  const costs = sizes.toReversed().map((size) => cost(ask, grown(opening, size)));
  costs.reverse();
  const ratios = costs.slice(1).map((ms, i) => ms / (costs[i] as number));
  const lasting = ratios.slice(doublings - 1).map((_, i) => Math.min(...ratios.slice(i, i + doublings)));
  return Math.max(...lasting);
}

/** Minimum over attempts; stops at the first one below the limit. */
function steadyGrowth(ask: Ask, opening: Endless): number {
  let least = growth(ask, opening);
  for (let i = 1; i < attempts && least > growthMax; i++) least = Math.min(least, growth(ask, opening));
  return least;
}

/** Repeats a piece of an opening in place. */
function pieceOf(seeds: readonly Uint8Array[], random: Random): Endless {
  const seed = Buffer.from(seeds[random(seeds.length)] ?? [0]);
  const from = random(seed.length);
  const to = Math.min(seed.length, from + 1 + random(random(2) === 0 ? 4 : 64));
  const unit = seed.subarray(from, to);
  return { why: `${unit.toString('hex')} at ${from}, over and over`, head: seed.subarray(0, from), unit };
}

function hardestPieces({ ask, seeds }: Parser): Endless[] {
  const random = createRandom(1);
  return Array.from({ length: pieces }, () => pieceOf(seeds, random))
    .map((opening) => ({ opening, ms: onceCost(ask, grown(opening, 7680)) }))
    .sort((a, b) => b.ms - a.ms)
    .slice(0, slowest)
    .map(({ opening }) => opening);
}

function onceCost(ask: Ask, bytes: Buffer): number {
  ask(bytes);
  const start = performance.now();
  ask(bytes);
  return performance.now() - start;
}

test.each(parsers)('$name', (parser) => {
  const openings = [...(endless[parser.recognizer.id] ?? []), ...hardestPieces(parser)];
  for (const opening of openings) {
    expect(steadyGrowth(parser.ask, opening), opening.why).toBeLessThan(growthMax);
  }
});

describe('a parser that looks back', () => {
  const zeros = { why: 'zeros', head: Buffer.alloc(0), unit: Buffer.alloc(1) };

  test('over all that it has seen, is caught', () => {
    const ask: Ask = (bytes) => {
      let zero = true;
      for (let end = 0; end < bytes.length; end += 256) {
        zero &&= bytes.subarray(0, end).every((byte) => byte === 0);
      }
      return { verdict: zero ? 'more' : 'no' };
    };
    expect(growth(ask, zeros)).toBeGreaterThan(growthMax);
  });

  test('nowhere, is not', () => {
    const ask: Ask = (bytes) => ({ verdict: bytes.every((byte) => byte === 0) ? 'more' : 'no' });
    expect(steadyGrowth(ask, zeros)).toBeLessThan(growthMax);
  });
});

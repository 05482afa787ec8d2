/** What holds for every facts parser and every confirm on bytes that somebody spoiled: total, linear, of one mind. */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { native } from '../../src/addon.js';
import type { Transport } from '../../src/model/protocol.js';
import { compileClassifier } from '../../src/protocols/compile.js';
import { type NamedRecognizer, recognizersFor } from '../../src/protocols/index.js';
import { flights } from '../cases/flights.js';
import { cases, datagrams } from '../cases/index.js';

const mutants = { facts: 100_000, confirm: 20_000 } as const;
const mutantsPerRun = 100;

type Question = keyof typeof mutants;

interface Parser {
  readonly name: string;
  readonly question: Question;
  readonly transport: Transport;
  readonly recognizer: NamedRecognizer;
  readonly ask: (bytes: Uint8Array) => { readonly verdict: string };
  /** Real openings of the protocol, and its cases. */
  readonly seeds: readonly Uint8Array[];
}

function parsersOf(transport: Transport): Parser[] {
  return recognizersFor(transport).flatMap((recognizer) =>
    (['facts', 'confirm'] as const).flatMap((question) => {
      const ask = recognizer[question];
      const seeds = seedsOf(recognizer.id, transport);
      const name = `${recognizer.id}, ${transport}, ${question}`;
      return ask ? [{ name, question, transport, recognizer, ask, seeds }] : [];
    }),
  );
}

function seedsOf(id: string, transport: Transport): Uint8Array[] {
  const own = flights.filter((flight) => flight.label === id && flight.transport === transport);
  const written = (transport === 'tcp' ? cases : datagrams)[id] ?? [];
  return [...own, ...written].map(({ bytes }) => bytes).filter(({ length }) => length > 0);
}

const parsers = [...parsersOf('tcp'), ...parsersOf('udp')];

/** Small numbers without a pattern, all from one seed (xorshift). */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

type Random = ReturnType<typeof createRandom>;

/** Bytes at which lengths and types turn. */
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

function mutate(seed: Uint8Array, random: Random): Buffer {
  let mutant: Buffer = Buffer.from(seed);
  for (let left = 1 + random(4); left > 0 && mutant.length > 0; left--) {
    const spoil = spoilers[random(spoilers.length)];
    if (spoil) mutant = spoil(mutant, random(mutant.length), random);
  }
  return mutant;
}

describe.each(parsers)('$name', ({ question, transport, recognizer, ask, seeds }) => {
  const classifier = new native.Classifier(compileClassifier([recognizer], 1));
  const verdicts = question === 'facts' ? ['facts', 'more', 'broken', 'no'] : ['match', 'more', 'no'];

  /** Asked from where the signature has matched: what is said then is said of all that follows. */
  function isOfOneMind(mutant: Buffer, random: Random): boolean {
    const { verdict, decidedAt } = classifier.identify(mutant);
    if (verdict !== 'match') return true;
    const early = ask(mutant.subarray(0, decidedAt + random(mutant.length - decidedAt + 1)));
    return early.verdict === 'more' || isDeepStrictEqual(ask(mutant), early);
  }

  test('answers, and keeps to it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1 }), (seed) => {
        const random = createRandom(seed);
        for (let i = 0; i < mutantsPerRun; i++) {
          const mutant = mutate(seeds[random(seeds.length)] ?? new Uint8Array(), random);
          if (!verdicts.includes(ask(mutant).verdict)) return false;
          // A datagram is whole: there is nothing to keep to.
          if (transport === 'tcp' && !isOfOneMind(mutant, random)) return false;
        }
        return true;
      }),
      { numRuns: mutants[question] / mutantsPerRun },
    );
  });

  test('takes no more than its time', () => {
    const long = Buffer.concat(Array<Buffer>(64).fill(Buffer.concat(seeds))).subarray(0, 65_536);
    const [few, many] = [fastest(ask, long.subarray(0, 8192)), fastest(ask, long)];
    // Eight times the bytes: eight times the time when it is linear, sixty-four when it is quadratic.
    expect(many).toBeLessThan(32 * Math.max(few, 0.02));
  });
});

/** Milliseconds of the quickest of some calls: the one that nothing disturbed. */
function fastest(ask: (bytes: Uint8Array) => unknown, bytes: Uint8Array): number {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 9; i++) {
    const start = performance.now();
    ask(bytes);
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

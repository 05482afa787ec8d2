/** Both engines against every case, every recorded flight, and each other. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Automaton, ClassifierTables, Decision, Dfa } from '../../src/model/classifier.js';
import { compileClassifier } from '../../src/protocols/compile.js';
import { bytesOf, type Check, flattenChecks, relations, totalField } from '../../src/protocols/dfa/checks.js';
import { recognizersFor } from '../../src/protocols/index.js';
import type { Case } from '../cases/case.js';
import { flights } from '../cases/flights.js';
import { cases, datagrams } from '../cases/index.js';
import { byteByByte, type Classify, classifierOf, engines, feedings } from './engines.js';

const tcp = recognizersFor('tcp');
const udp = recognizersFor('udp');

const sameDecision = (a: Decision, b: Decision): boolean =>
  a.verdict === b.verdict && a.protocol === b.protocol && a.decidedAt === b.decidedAt;

const nameOf = ({ protocol }: Decision): string | null => tcp[protocol]?.id ?? null;

/** Bytes that are not of a protocol may match another one: then the protocol itself must be ruled out by that byte. */
function isRight({ expect: due, bytes }: Case, id: string, decision: Decision, alone: Decision): boolean {
  const { verdict, decidedAt } = decision;
  if (due === 'more') return verdict === 'more' && decidedAt === bytes.length;
  if ('protocol' in due) return nameOf(decision) === due.protocol && decidedAt === due.at;
  return nameOf(decision) !== id && alone.verdict === 'unknown' && alone.decidedAt <= due.unknownAt;
}

/** The oracle decides after every byte, so one feeding is enough for it. */
const cutting = { oracle: (bytes: Uint8Array) => [{}, byteByByte(bytes)], addon: feedings };

describe.each(Object.entries(engines))('%s', (engine, create) => {
  const feed = cutting[engine as keyof typeof engines];
  const classify = classifierOf(create, tcp);

  describe.each(Object.entries(cases))('%s', (id, list) => {
    const own = tcp.filter((recognizer) => recognizer.id === id);
    const classifyAlone = classifierOf(create, own);

    test.each(list)('$why', (item) => {
      for (const feeding of feed(item.bytes)) {
        const [decision, alone] = [classify(item.bytes, feeding), classifyAlone(item.bytes, feeding)];
        if (isRight(item, id, decision, alone)) continue;
        expect({ ...decision, name: nameOf(decision), alone }, JSON.stringify(feeding)).toEqual(item.expect);
      }
    });
  });

  describe.each(Object.entries(datagrams))('%s, datagrams', (_id, list) => {
    const classifyDatagram = classifierOf(create, udp);

    test.each(list)('$why', ({ bytes, expect: due }) => {
      const { protocol } = classifyDatagram(bytes, { ended: true });
      expect(udp[protocol]?.id ?? null).toBe(due);
    });
  });
});

describe('recorded flights', () => {
  const oracle = classifierOf(engines.oracle, tcp);
  const addon = classifierOf(engines.addon, tcp);

  test.each(flights.filter(({ transport }) => transport === 'tcp'))('$id', ({ bytes }) => {
    const whole = addon(bytes);
    expect(oracle(bytes)).toEqual(whole);
    expect(oracle(bytes, { ended: true })).toEqual(addon(bytes, { ended: true }));
    for (const feeding of feedings(bytes)) {
      if (!sameDecision(addon(bytes, feeding), whole)) expect.fail(JSON.stringify(feeding));
    }
    if (whole.verdict === 'match') expectNoPrefixRefused(addon, bytes, whole);
  });
});

function expectNoPrefixRefused(classify: Classify, bytes: Uint8Array, whole: Decision): void {
  for (let end = 0; end < whole.decidedAt; end++) {
    const { verdict } = classify(bytes.subarray(0, end));
    if (verdict !== 'more') expect.fail(`${verdict} at ${end}`);
  }
  expect(classify(bytes.subarray(0, whole.decidedAt))).toEqual(whole);
}

test.each(flights.filter(({ transport }) => transport === 'udp'))('datagram $id', ({ segments }) => {
  const [first = new Uint8Array()] = segments;
  const oracle = classifierOf(engines.oracle, udp);
  const addon = classifierOf(engines.addon, udp);
  expect(addon(first, { ended: true })).toEqual(oracle(first, { ended: true }));
});

/** A random DFA over three byte classes, mostly alive, so that decisions come late. */
const anyDfa: fc.Arbitrary<Dfa> = fc
  .record({
    classes: fc.uint8Array({ minLength: 256, maxLength: 256, max: 2 }),
    rows: fc.array(fc.tuple(anyState(), anyState(), anyState()), { minLength: 6, maxLength: 6 }),
    maxBytes: fc.integer({ min: 1, max: 30 }),
  })
  .map(({ classes, rows, maxBytes }) => ({
    classes,
    classCount: 3,
    transitions: Uint16Array.from([0, 0, 0, 1, 1, 1, ...rows.flat()]),
    maxBytes,
  }));

function anyState(): fc.Arbitrary<number> {
  return fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 2, max: 7 }) }, fc.integer({ min: 0, max: 1 }));
}

const anyCheck: fc.Arbitrary<Check> = fc
  .record({
    relation: fc.nat(relations.length - 1),
    constant: fc.integer({ min: -300, max: 300 }),
    terms: fc.array(
      fc.record({ field: fc.nat(totalField), offset: fc.nat(20), factor: fc.integer({ min: -3, max: 3 }) }),
      { minLength: 1, maxLength: 3 },
    ),
  })
  .map((check) => ({ ...check, bytes: bytesOf(check.terms) }));

const anyAutomaton: fc.Arbitrary<Automaton> = fc.record({
  dfas: fc.array(anyDfa, { minLength: 1, maxLength: 2 }),
  checks: fc.array(anyCheck, { maxLength: 2 }).map(flattenChecks),
  minBytes: fc.nat(12),
});

const anyTables: fc.Arbitrary<ClassifierTables> = fc
  .array(anyAutomaton, { maxLength: 6 })
  .chain((automata) => fc.record({ automata: fc.constant(automata), routable: fc.nat(automata.length) }));

const anySession = fc.uint8Array({ maxLength: 40 }).chain((bytes) =>
  fc.record({
    bytes: fc.constant(bytes),
    cuts: anyCuts(bytes),
    nameUnrouted: fc.boolean(),
    ended: fc.boolean(),
  }),
);

function anyCuts(bytes: Uint8Array): fc.Arbitrary<Uint32Array> {
  return fc.array(fc.nat(bytes.length)).map((cuts) => Uint32Array.from(cuts).sort());
}

test('the engines agree on any tables, bytes, cuts and ends', () => {
  fc.assert(
    fc.property(anyTables, anySession, (anyone, { bytes, ...feeding }) => {
      const [oracle, addon] = Object.values(engines).map((create) => create(anyone)(bytes, feeding));
      expect(addon).toEqual(oracle);
    }),
    { numRuns: 2000 },
  );
});

test('the answer does not depend on the cuts', () => {
  fc.assert(
    fc.property(anyTables, anySession, (anyone, { bytes, cuts, nameUnrouted, ended }) => {
      for (const create of Object.values(engines)) {
        const classify = create(anyone);
        expect(classify(bytes, { cuts, nameUnrouted, ended })).toEqual(
          classify(bytes, { nameUnrouted, ended }),
        );
      }
    }),
    { numRuns: 1000 },
  );
});

/** A recorded flight: truncated, mutated, or followed by another one. */
const anySpoiledFlight = fc
  .tuple(
    fc.constantFrom(...flights),
    fc.constantFrom(...flights),
    fc.array(fc.tuple(fc.nat(64), fc.integer({ min: 0, max: 255 })), { maxLength: 3 }),
    fc.double({ min: 0, max: 1, noNaN: true }),
  )
  .map(([{ bytes: front }, { bytes: back }, changes, share]) => {
    const kept = front.subarray(0, Math.ceil(front.length * share));
    const bytes = Buffer.concat([kept, back]).subarray(0, 600);
    for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
    return bytes;
  });

test('the engines agree on spoiled flights', () => {
  const oracle = classifierOf(engines.oracle, tcp);
  const addon = classifierOf(engines.addon, tcp);
  const anySession = anySpoiledFlight.chain((bytes) =>
    fc.tuple(fc.constant(bytes), anyCuts(bytes), fc.boolean()),
  );
  fc.assert(
    fc.property(anySession, ([bytes, cuts, ended]) => {
      const due = oracle(bytes, { ended });
      expect(addon(bytes, { ended })).toEqual(due);
      expect(addon(bytes, { cuts, ended })).toEqual(due);
    }),
    { numRuns: 1000 },
  );
});

test('the engines agree on spoiled datagrams', () => {
  const oracle = classifierOf(engines.oracle, udp);
  const addon = classifierOf(engines.addon, udp);
  fc.assert(
    fc.property(anySpoiledFlight, (bytes) => {
      expect(addon(bytes, { ended: true })).toEqual(oracle(bytes, { ended: true }));
    }),
    { numRuns: 1000 },
  );
});

test('random bytes are seldom awaited: only where they happen to announce a long message', () => {
  const addon = classifierOf(engines.addon, tcp);
  const samples = fc.sample(fc.uint8Array({ minLength: 1024, maxLength: 1024 }), { numRuns: 1000, seed: 1 });
  const waiting = samples.filter((bytes) => addon(bytes).verdict === 'more');
  expect(waiting.length).toBeLessThan(10);
  for (const bytes of waiting) expect(addon(bytes, { ended: true }).verdict).not.toBe('more');
});

describe('rank', () => {
  const entries = (...patterns: string[]) =>
    patterns.map((pattern) => ({ id: pattern, signature: { patterns: [pattern] } }));
  const rankCases = [
    {
      why: 'the better one is awaited',
      patterns: ['^abc', '^a'],
      bytes: 'ab',
      verdict: 'more',
      protocol: -1,
    },
    { why: 'the better one speaks', patterns: ['^abc', '^a'], bytes: 'abc', verdict: 'match', protocol: 0 },
    { why: 'the better one is out', patterns: ['^abc', '^a'], bytes: 'abx', verdict: 'match', protocol: 1 },
    {
      why: 'the worse one is not awaited',
      patterns: ['^a', '^abc'],
      bytes: 'a',
      verdict: 'match',
      protocol: 0,
    },
  ] as const;

  test.each(rankCases)('$why', ({ patterns, bytes, verdict, protocol }) => {
    for (const create of Object.values(engines)) {
      const classify = create(compileClassifier(entries(...patterns), patterns.length));
      expect(classify(Buffer.from(bytes))).toMatchObject({ verdict, protocol });
    }
  });

  test('at the end the best match so far speaks', () => {
    for (const create of Object.values(engines)) {
      const classify = create(compileClassifier(entries('^abc', '^a'), 2));
      expect(classify(Buffer.from('ab'), { ended: true })).toEqual({
        verdict: 'match',
        protocol: 1,
        decidedAt: 2,
      });
    }
  });

  test('what no route takes is named only on demand', () => {
    for (const create of Object.values(engines)) {
      const classify = create(compileClassifier(entries('^ab', '^ac'), 1));
      expect(classify(Buffer.from('ac'))).toMatchObject({ verdict: 'match', protocol: 1 });
      expect(classify(Buffer.from('ac'), { nameUnrouted: false })).toMatchObject({ verdict: 'unknown' });
    }
  });
});

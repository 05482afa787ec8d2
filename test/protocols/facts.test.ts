/** Properties of every facts parser: right on recorded flights, total, and final once answered. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FactsAnswer } from '../../src/model/facts.js';
import { factLimits } from '../../src/protocols/bounds.js';
import { identifyBytes } from '../../src/protocols/identify.js';
import { protocols } from '../../src/protocols/index.js';
import { type Flight, flights } from '../cases/flights.js';

/** The protocol of each flight; one that ends before the first gRPC request is HTTP/2. */
const named = flights
  .filter(({ expect: due }) => due === 'match')
  .map((flight) => ({ flight, id: identifyBytes(flight.segments, flight.transport).protocol }));

/**
 * Flights that end where the client waits for the server, before its request; other clients send the request with it.
 */
const waiting: readonly string[] = ['http2-tcp-013', 'http2-tcp-203', 'minecraft-tcp-006'];

const parsers = protocols.flatMap(({ id, facts }) => {
  const own = named
    .filter(({ id: name, flight }) => name === id && !waiting.includes(flight.id))
    .map(({ flight }) => flight);
  return facts && own.length > 0 ? [{ id, facts, own }] : [];
});

/** Attributes that the client did not send, whatever the recorder was told. */
const notSaid: Readonly<Record<string, readonly string[]>> = {
  'quic-udp-001': ['sni'],
  'tls-tcp-048': ['alpn'],
  'tls-tcp-049': ['alpn'],
};

/** Attributes that the client was told to send; null and empty lists mean not sent. */
const due = ({ id, attrs }: Flight): [string, unknown][] =>
  Object.entries(attrs)
    .filter(([key]) => !notSaid[id]?.includes(key))
    .map(([key, value]) => [key, value === null || String(value) === '' ? undefined : kept(value)]);

const kept = (value: unknown): unknown =>
  Array.isArray(value) ? value.slice(0, factLimits.namesMax) : value;

describe.each(parsers)('$id', ({ facts, own }) => {
  test.each(own)('flight $id', (flight) => {
    const answer = facts(flight.bytes);
    expect(answer.verdict).toBe('facts');
    const said: Readonly<Record<string, unknown>> = answer.verdict === 'facts' ? answer.facts : {};
    for (const [key, value] of due(flight)) expect(said[key], key).toEqual(value);
  });

  test('asks for more until it has an answer, and keeps it', () => {
    for (const { bytes, id } of own) {
      const whole = facts(bytes);
      for (let end = 1; end < bytes.length; end++) {
        const answer = facts(bytes.subarray(0, end));
        if (answer.verdict === 'more') expect(answer.bytesNeeded, id).toBeGreaterThan(end);
        else expect(answer, `${id} at ${end}`).toEqual(whole);
      }
    }
  });

  test('bytes that are asked for make a difference or are asked for anew', () => {
    for (const { bytes, id } of own) expect(reads(facts, bytes), id).toBeLessThanOrEqual(bytes.length);
  });

  test('mutations are answered, not thrown', () => {
    fc.assert(
      fc.property(fc.constantFrom(...own), anyMutation, ({ bytes }, mutation) => {
        const answer = facts(mutate(bytes, mutation));
        expect(['facts', 'more', 'broken', 'no']).toContain(answer.verdict);
      }),
      { numRuns: 3000 },
    );
  });

  test('an answer to a mutation is not taken back', () => {
    fc.assert(
      fc.property(fc.constantFrom(...own), anyMutation, fc.nat(), ({ bytes }, mutation, at) => {
        const mutant = mutate(bytes, mutation);
        const early = facts(mutant.subarray(0, at % (mutant.length + 1)));
        if (early.verdict !== 'more') expect(facts(mutant)).toEqual(early);
      }),
      { numRuns: 2000 },
    );
  });
});

/** Number of calls when the parser gets exactly as many bytes as it asks for. */
function reads(facts: (bytes: Uint8Array) => FactsAnswer, bytes: Uint8Array): number {
  let asked = 1;
  let answer = facts(bytes.subarray(0, 1));
  while (answer.verdict === 'more') {
    answer = facts(bytes.subarray(0, answer.bytesNeeded));
    asked++;
  }
  return asked;
}

const anyMutation = fc.array(
  fc.record({ kind: fc.constantFrom('set', 'insert', 'delete'), at: fc.nat(), byte: fc.nat(255) }),
  { minLength: 1, maxLength: 4 },
);

type Mutation = typeof anyMutation extends fc.Arbitrary<infer T> ? T : never;

function mutate(bytes: Uint8Array, mutation: Mutation): Uint8Array {
  const mutant = [...bytes];
  for (const { kind, at, byte } of mutation) {
    const place = at % (mutant.length + 1);
    if (kind === 'set') mutant[place] = byte;
    else mutant.splice(place, kind === 'delete' ? 1 : 0, ...(kind === 'insert' ? [byte] : []));
  }
  return Uint8Array.from(mutant);
}

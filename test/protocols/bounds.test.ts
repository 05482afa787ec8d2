/** Facts are bounded, whatever a client sends and whichever parser reads it. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Facts, FactsAnswer } from '../../src/model/facts.js';
import { boundAnswer, factLimits } from '../../src/protocols/bounds.js';
import { identifyBytes } from '../../src/protocols/identify.js';
import { protocolById } from '../../src/protocols/index.js';
import { text } from '../cases/case.js';
import { alpn, hello, records, serverName } from '../cases/tls.js';
import { endless } from './endless.js';
import { parsers } from './parsers.js';

const { namesMax, bytesMax } = factLimits;

const bound = (facts: Facts): FactsAnswer => boundAnswer({ verdict: 'facts', facts });
const names = (count: number, name = (index: number) => `n${index}`): string[] =>
  Array.from({ length: count }, (_, index) => name(index));

const rows: readonly { why: string; facts: Facts; expect: Facts; doubtful?: readonly string[] }[] = [
  {
    why: 'what is short stays',
    facts: { host: 'a', port: 1, ech: true },
    expect: { host: 'a', port: 1, ech: true },
  },
  {
    why: 'a text at the bound',
    facts: { host: 'a'.repeat(bytesMax) },
    expect: { host: 'a'.repeat(bytesMax) },
  },
  {
    why: 'a text over it',
    facts: { path: '/', host: 'a'.repeat(bytesMax + 1) },
    expect: { path: '/', host: 'a'.repeat(bytesMax) },
    doubtful: ['host'],
  },
  {
    why: 'bytes count, and no character is cut in two',
    facts: { host: `a${'\u20ac'.repeat(bytesMax)}` },
    expect: { host: `a${'\u20ac'.repeat(Math.floor((bytesMax - 1) / 3))}` },
    doubtful: ['host'],
  },
  { why: 'a list at the bound', facts: { alpn: names(namesMax) }, expect: { alpn: names(namesMax) } },
  {
    why: 'a list over it',
    facts: { alpn: names(namesMax + 1) },
    expect: { alpn: names(namesMax) },
    doubtful: ['alpn'],
  },
  {
    why: 'a list of long names',
    facts: { alpn: names(4, (index) => `${index}`.repeat(200)) },
    expect: { alpn: names(2, (index) => `${index}`.repeat(200)) },
    doubtful: ['alpn'],
  },
];

describe('a fact', () => {
  test.each(rows)('$why', ({ facts, expect: due, doubtful }) =>
    expect(bound(facts)).toEqual({ verdict: 'facts', facts: due, ...(doubtful && { doubtful }) }),
  );

  test('what was doubtful before is so still', () =>
    expect(boundAnswer({ verdict: 'facts', facts: {}, doubtful: ['host'] })).toMatchObject({
      doubtful: ['host'],
    }));
});

/** In the JSON of an access log line a byte may take six. */
function expectBounded(facts: Facts, why: string): void {
  for (const [name, value] of Object.entries(facts)) {
    const list = typeof value === 'object' ? value : [String(value)];
    expect(list.length, `${why}: ${name}`).toBeLessThanOrEqual(namesMax);
    expect(Buffer.byteLength(list.join('')), `${why}: ${name}`).toBeLessThanOrEqual(bytesMax);
  }
}

describe('every parser', () => {
  const asked = parsers.filter(({ question }) => question === 'facts');

  test.each(asked)('$name: openings that never end', ({ recognizer }) => {
    for (const { why, head, unit } of endless[recognizer.id] ?? []) {
      const bytes = Buffer.alloc(61_440, unit);
      head.copy(bytes);
      expectBounded(recognizer.facts?.(bytes).facts ?? {}, why);
    }
  });

  test.each(asked)('$name: real openings with something long in them', ({ recognizer, seeds }) => {
    const opening = fc.record({
      seed: fc.constantFrom(...seeds),
      at: fc.nat(),
      times: fc.integer({ max: 60_000 }),
    });
    fc.assert(
      fc.property(opening, ({ seed, at, times }) => {
        const place = at % seed.length;
        const more = Buffer.alloc(Math.max(times, 0), seed.subarray(place, place + 1));
        const bytes = Buffer.concat([seed.subarray(0, place), more, seed.subarray(place)]);
        expectBounded(recognizer.facts?.(bytes).facts ?? {}, recognizer.id);
      }),
      { numRuns: 100 },
    );
  });
});

test('a hello with 20,000 application protocols', () => {
  const bytes = Buffer.from(records(hello([serverName('a.example'), alpn(...names(20_000, () => 'x1'))])));
  const answer = protocolById('tls')?.facts?.(bytes);
  expect(answer).toMatchObject({
    verdict: 'facts',
    facts: { sni: 'a.example', alpn: names(namesMax, () => 'x1') },
    doubtful: ['alpn'],
  });
  expect(identifyBytes([bytes], 'tcp').facts.alpn).toHaveLength(namesMax);
});

test('a host of 8,000 bytes', () => {
  const opening = text(`GET / HTTP/1.1\r\nHost: ${'a.'.repeat(4000)}\r\n\r\n`);
  expect(protocolById('http')?.facts?.(opening)).toMatchObject({ verdict: 'facts', doubtful: ['host'] });
});

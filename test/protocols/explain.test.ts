/** Explanations of a mismatch: at the deciding byte, with the cause. */
import { describe, expect, test } from 'vitest';
import { explainRecognizer } from '../../src/protocols/explain.js';
import { type NamedRecognizer, recognizersFor } from '../../src/protocols/index.js';
import { hex, text } from '../cases/case.js';
import { flights } from '../cases/flights.js';

const custom = (recognizer: Omit<NamedRecognizer, 'id'>): NamedRecognizer => ({ id: 'mine', ...recognizer });

const rows = [
  {
    why: 'a byte that does not fit',
    of: custom({ signature: { startBytes: ['aa55'] } }),
    bytes: hex('aa 47'),
    told: { verdict: 'no', at: 2, why: '47 "G" does not fit its signature' },
  },
  {
    why: 'arithmetic, by name',
    of: custom({ signature: { patterns: ['^[^]{2}'], checks: ['u8(0) < 9', 'u8(0) == u8(1)'] } }),
    bytes: hex('01 02'),
    told: { verdict: 'no', at: 2, why: 'u8(0) == u8(1) does not hold' },
  },
  {
    why: 'bytes that do not come in time',
    of: custom({ signature: { contains: ['ff'], containsWithin: 4 } }),
    bytes: hex('01 02 03 04 ff'),
    told: { verdict: 'no', at: 4, why: 'its signature does not match within 4 bytes' },
  },
  {
    why: 'what a confirmation refuses',
    of: custom({ signature: { startBytes: ['aa'] }, confirm: () => ({ verdict: 'no' }) }),
    bytes: hex('aa'),
    told: { verdict: 'no', at: 1, why: 'its signature matches, but what it announces is not there' },
  },
  {
    why: 'facts that can not be read do not take it back',
    of: custom({ signature: { startBytes: ['aa'] }, facts: () => ({ verdict: 'broken', facts: {} }) }),
    bytes: hex('aa'),
    told: { verdict: 'match', at: 1, why: 'its signature matches' },
  },
  {
    why: 'not enough',
    of: custom({ signature: { startBytes: ['aa55'] } }),
    bytes: hex('aa'),
    told: { verdict: 'more', at: 1, why: 'its signature fits so far' },
  },
  {
    why: 'a match',
    of: custom({ signature: { patterns: ['^SSH-'] } }),
    bytes: text('SSH-2.0'),
    told: { verdict: 'match', at: 4, why: 'its signature matches' },
  },
];

describe('in words', () => {
  test.each(rows)('$why', ({ of, bytes, told }) => expect(explainRecognizer(of, bytes)).toEqual(told));
});

/** One recorded flight of each label. */
const samples = [...new Map(flights.map((flight) => [flight.label, flight])).values()].filter(
  ({ transport, bytes }) => transport === 'tcp' && bytes.length > 0,
);

describe('at the byte that settles it', () => {
  test.each(samples)('$label', ({ bytes }) => {
    for (const recognizer of recognizersFor('tcp')) {
      const { verdict, at } = explainRecognizer(recognizer, bytes);
      if (verdict === 'more') continue;
      expect(explainRecognizer(recognizer, bytes.subarray(0, at)).verdict, recognizer.id).toBe(verdict);
      expect(explainRecognizer(recognizer, bytes.subarray(0, at - 1)).verdict, recognizer.id).toBe('more');
    }
  });
});

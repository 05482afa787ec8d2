/** Decisions by silence: both engines agree at every cut, and only between frames. */
import { describe, expect, test } from 'vitest';
import { confirmGrpc } from '../../src/protocols/grpc.js';
import { type NamedRecognizer, protocolById } from '../../src/protocols/index.js';
import { settlesQuietly } from '../../src/protocols/settlement.js';
import { hex, text } from '../cases/case.js';
import { classifierOf, engines, feedings } from './engines.js';

const named = (...ids: string[]) => ids.map((id) => protocolById(id) as NamedRecognizer);

const preface = text('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const settings = hex('000006 04 00 00000000 0003 00000064');
const windowUpdate = hex('000004 08 00 00000000 000f0000');
const ping = hex('000008 06 00 00000000 0000000000000000');
const join = (...parts: Uint8Array[]) => Buffer.concat(parts);

describe('a client of gRPC may be waiting', () => {
  const cases = [
    { why: 'behind its SETTINGS', bytes: join(preface, settings), waits: true },
    { why: 'behind further frames', bytes: join(preface, settings, windowUpdate, ping), waits: true },
    { why: 'not within the preface', bytes: preface.subarray(0, 20), waits: false },
    { why: 'not before its SETTINGS', bytes: preface, waits: false },
    { why: 'not within them', bytes: join(preface, settings.subarray(0, 12)), waits: false },
    { why: 'not within another frame', bytes: join(preface, settings, ping.subarray(0, 9)), waits: false },
    { why: 'not within a header', bytes: join(preface, settings, ping.subarray(0, 4)), waits: false },
    {
      why: 'not within the headers of a request',
      bytes: join(preface, settings, hex('000001 01 00 00000001 83')),
      waits: false,
    },
  ];
  test.each(cases)('$why: $waits', ({ bytes, waits }) => {
    const answer = confirmGrpc(bytes);
    expect(answer.verdict).toBe('more');
    expect('quietMs' in answer).toBe(waits);
  });
});

const waiting = join(preface, settings, windowUpdate);

/** In rank order; the first `accepted` are the listener's own, the others only name a session. */
const lists = [
  { ids: ['grpc', 'http2'], accepted: 2, settled: 'http2' },
  { ids: ['grpc', 'http2'], accepted: 1, settled: 'grpc' },
  { ids: ['grpc'], accepted: 1, settled: 'grpc' },
  { ids: ['ssh', 'grpc', 'http2'], accepted: 1, settled: 'http2' },
  { ids: ['ssh', 'grpc'], accepted: 1, settled: null },
];

describe.each(Object.entries(engines))('%s', (_, create) => {
  test.each(lists)('of $ids, $accepted accepted, it is $settled', ({ ids, accepted, settled }) => {
    const recognizers = named(...ids);
    const classify = classifierOf(create, recognizers);
    const quiet = {
      quiet: true,
      settlesQuietly: (position: number) => settlesQuietly(recognizers, accepted, position),
    };
    for (const feeding of feedings(waiting)) {
      expect(classify(waiting, feeding).verdict).toBe('more');
      const decision = classify(waiting, { ...feeding, ...quiet });
      expect({ ...decision, protocol: ids[decision.protocol] ?? null }).toEqual({
        verdict: settled === null ? 'unknown' : 'match',
        protocol: settled,
        decidedAt: waiting.length,
      });
    }
  });

  test('no silence settles what waits for bytes alone', () => {
    const recognizers = named('grpc', 'http2');
    const classify = classifierOf(create, recognizers);
    const half = waiting.subarray(0, waiting.length - 1);
    expect(classify(half, { quiet: true, settlesQuietly: () => true }).verdict).toBe('more');
  });
});

import { describe, expect, test } from 'vitest';
import { identifyFlight } from '../../src/protocols/flight.js';
import { readProxyHeader } from '../../src/protocols/proxy-header.js';
import { hex, text } from '../cases/case.js';
import { flights } from '../cases/flights.js';
import {
  datagramHeaders,
  headers,
  refused,
  refusedDatagramHeaders,
  tlv,
  v2,
  v4,
  withTlvs,
} from '../cases/proxy-headers.js';

/** A QUIC hello in two datagrams. */
const SPLIT_HELLO = 'quic-udp-201';

/** Minimum time in milliseconds. */
function quickest(bytes: Uint8Array): number {
  const times = Array.from({ length: 10 }, () => {
    const start = performance.now();
    readProxyHeader(bytes, 'tcp');
    return performance.now() - start;
  });
  return Math.min(...times);
}

describe('a PROXY header of a datagram', () => {
  test.each(datagramHeaders)('$why', ({ bytes, addresses, facts }) => {
    const announced = addresses && {
      proxy_source: addresses.source,
      proxy_destination: addresses.destination,
    };
    const header = { headerBytes: bytes.length, addresses, facts: { proxy: 'v2', ...announced, ...facts } };
    expect(readProxyHeader(bytes, 'udp')).toMatchObject({ verdict: 'header', header });
    expect(readProxyHeader(Buffer.concat([bytes, bytes]), 'udp')).toMatchObject({ header });
  });

  test.each(refusedDatagramHeaders)('none: $why', ({ bytes }) => {
    expect(readProxyHeader(bytes, 'udp')).toEqual({ verdict: 'no' });
  });
});

describe('a PROXY header', () => {
  test.each(headers)('$why', ({ why, bytes, addresses, facts, doubtful }) => {
    const announced = addresses && {
      proxy_source: addresses.source,
      proxy_destination: addresses.destination,
    };
    const said = { proxy: why.slice(0, 2), ...announced, ...facts };
    const doubts = doubtful ? ['sni', 'host'] : [];
    const header = { headerBytes: bytes.length, addresses, facts: said, doubtful: doubts };
    const due = { verdict: 'header', header };
    expect(readProxyHeader(bytes, 'tcp')).toEqual(due);
    expect(readProxyHeader(Buffer.concat([bytes, bytes]), 'tcp')).toEqual(due);
  });

  test.each(headers)('$why: every prefix wants more', ({ bytes }) => {
    for (let end = 0; end < bytes.length; end += end < 512 ? 1 : 997) {
      const answer = readProxyHeader(bytes.subarray(0, end), 'tcp');
      expect(answer.verdict).toBe('more');
      const needed = answer.verdict === 'more' ? answer.bytesNeeded : 0;
      expect(needed).toBeGreaterThan(end);
      expect(needed).toBeLessThanOrEqual(bytes.length);
    }
  });

  test.each(refused)('none: $why', ({ bytes }) => {
    expect(readProxyHeader(bytes, 'tcp')).toEqual({ verdict: 'no' });
  });

  test('with as many TLVs as there can be takes no longer for each', () => {
    const of = (count: number) => withTlvs(...Array.from({ length: count }, () => tlv(0x02, '')));
    // 20 times the input: quadratic time would be 400 times as long.
    expect(quickest(of(20_000)) / quickest(of(1_000))).toBeLessThan(100);
  });
});

describe('a flight with a header', () => {
  const [header] = headers.filter(({ why }) => why === 'v1 IPv4').map(({ bytes }) => bytes);
  const before = header ?? new Uint8Array();
  const facts = { proxy: 'v1', proxy_source: v4.source, proxy_destination: v4.destination };
  const ssh = text('SSH-2.0-x\r\n');

  test('has the name of what is behind it, wherever it is cut', () => {
    const bytes = Buffer.concat([before, ssh]);
    for (let cut = 0; cut <= bytes.length; cut++) {
      expect(identifyFlight([bytes.subarray(0, cut), bytes.subarray(cut)], 'tcp')).toEqual({
        protocol: 'ssh',
        verdict: 'match',
        decidedAtByte: before.length + 8,
        bytesNeeded: null,
        facts: { ...facts, software: 'x' },
      });
    }
  });

  test('is undecided behind it, with what it said', () => {
    expect(identifyFlight([before], 'tcp')).toEqual({
      protocol: null,
      verdict: 'more',
      decidedAtByte: before.length,
      bytesNeeded: before.length + 1,
      facts,
    });
  });

  test('is undecided inside it', () => {
    expect(identifyFlight([before.subarray(0, 20)], 'tcp')).toMatchObject({
      protocol: null,
      verdict: 'more',
      bytesNeeded: 21,
    });
  });

  test('is unknown behind it', () => {
    const identified = identifyFlight([before, new Uint8Array(64).fill(0xfe)], 'tcp');
    expect(identified).toMatchObject({ protocol: null, verdict: 'unknown', facts });
  });

  test('is a datagram behind it', () => {
    const datagram = Buffer.concat([v2('21 12 000c c0000201 c6336407 dc04 01bb'), hex('40 01 12 34')]);
    expect(identifyFlight([datagram], 'udp')).toMatchObject({
      protocol: 'coap',
      facts: { method: 'GET', proxy: 'v2', proxy_source: v4.source },
    });
  });

  test('is before every datagram', () => {
    const header = v2('21 12 000c c0000201 c6336407 dc04 01bb');
    const [first = new Uint8Array(), second = new Uint8Array()] =
      flights.find(({ id }) => id === SPLIT_HELLO)?.segments ?? [];
    const proxied = [Buffer.concat([header, first]), Buffer.concat([header, second])];
    expect(identifyFlight(proxied, 'udp').facts).toEqual({
      ...identifyFlight([first, second], 'udp').facts,
      proxy: 'v2',
      proxy_source: v4.source,
      proxy_destination: v4.destination,
    });
    expect(identifyFlight([proxied[0] as Buffer, second], 'udp').facts).not.toHaveProperty('sni');
  });
});

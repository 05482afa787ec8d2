/** HPACK: the examples of RFC 7541, and blocks from a real encoder. */
import http2, { type OutgoingHttpHeaders } from 'node:http2';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { confirmGrpc } from '../../src/protocols/grpc.js';
import { decodeHeaders } from '../../src/protocols/hpack.js';
import { codeLengths, type Header } from '../../src/protocols/hpack-tables.js';
import { type HeaderBlock, readHeaderBlock } from '../../src/protocols/http2-frames.js';
import { http2Facts } from '../../src/protocols/http2-request.js';
import { decodeHuffman } from '../../src/protocols/huffman.js';
import { hex } from '../cases/case.js';
import { listenTcp } from '../support/tcp.js';
import { eventually } from '../support/wait.js';

/** `null`: malformed. */
const blocks: readonly { why: string; block: Uint8Array; expect: readonly Header[] | null }[] = [
  {
    why: 'a request (RFC 7541 section C.4.1)',
    block: hex('8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff'),
    expect: [
      [':method', 'GET'],
      [':scheme', 'http'],
      [':path', '/'],
      [':authority', 'www.example.com'],
    ],
  },
  {
    why: 'a header that is remembered',
    block: hex('40 01 61 01 62 be'),
    expect: [
      ['a', 'b'],
      ['a', 'b'],
    ],
  },
  {
    why: 'a name that is remembered',
    block: hex('40 01 61 01 62 0f 2f 01 63'),
    expect: [
      ['a', 'b'],
      ['a', 'c'],
    ],
  },
  { why: 'a header that was forgotten', block: hex('40 01 61 01 62 20 be'), expect: null },
  {
    why: 'a header larger than the table is not remembered',
    block: hex('3f 01 40 01 61 01 62 be'),
    expect: null,
  },
  { why: 'a literal that is never indexed', block: hex('10 01 61 01 62'), expect: [['a', 'b']] },
  { why: 'a table larger than allowed', block: hex('3f e2 1f'), expect: null },
  { why: 'index 0', block: hex('80'), expect: null },
  { why: 'an index that does not exist', block: hex('be'), expect: null },
  { why: 'a string that is cut short', block: hex('00 01 61 05 62'), expect: null },
  { why: 'an integer that is cut short', block: hex('ff'), expect: null },
  { why: 'an integer without an end', block: hex('ff ff ff ff ff ff'), expect: null },
  { why: 'padding of zeros', block: hex('00 01 61 81 00'), expect: null },
];

describe('a header block', () => {
  test.each(blocks)('$why', ({ block, expect: due }) => {
    expect(decodeHeaders(block)).toEqual(due);
  });
});

describe('the Huffman code', () => {
  const strings: readonly { why: string; bytes: Uint8Array; expect: string | null }[] = [
    { why: 'nothing', bytes: hex(''), expect: '' },
    { why: 'a code of 13 bits', bytes: hex('ffc7'), expect: '\0' },
    { why: 'a code of 30 bits', bytes: hex('fffffff3'), expect: '\n' },
    { why: 'the end of the string is not sent', bytes: hex('fffffffc'), expect: null },
    { why: 'a byte of padding', bytes: hex('1fff'), expect: null },
  ];

  test.each(strings)('$why', ({ bytes, expect: due }) => {
    expect(decodeHuffman(bytes)).toBe(due);
  });

  test('is complete: every string of bits is the beginning of codes', () => {
    expect(codeLengths.length).toBe(257);
    expect(codeLengths.reduce((sum, bits) => sum + 2 ** -bits, 0)).toBe(1);
  });
});

describe('a real client', () => {
  test('every character that a header may have', async () => {
    const opening = await openingOf({ ':path': '/x', ...everyCharacter() });
    const read = readHeaderBlock(opening);
    const headers = read.verdict === 'block' ? decodeHeaders(read.block) : null;
    expect(Object.fromEntries(headers ?? [])).toMatchObject({ ':path': '/x', ...everyCharacter() });
  });

  test('a call of gRPC, and no sooner', async () => {
    const opening = await openingOf({
      ':method': 'POST',
      ':path': '/pkg.Service/Method',
      ':authority': 'A.example:50051',
      'content-type': 'application/grpc+proto',
      te: 'trailers',
    });
    const end = firstAnswer(opening);
    expect(confirmGrpc(opening)).toEqual({ verdict: 'match' });
    expect(confirmGrpc(opening.subarray(0, end))).toEqual({ verdict: 'match' });
    expect(http2Facts(opening)).toEqual({
      verdict: 'facts',
      facts: { method: 'POST', path: '/pkg.Service/Method', host: 'a.example' },
    });
  });

  test('a page is no call', async () => {
    expect(confirmGrpc(await openingOf({ ':path': '/' }))).toEqual({ verdict: 'no' });
  });
});

test('whatever follows the preface is answered, and no answer is taken back', () => {
  const opening = Buffer.concat([
    hex('505249202a20485454502f322e300d0a0d0a534d0d0a0d0a 000000040000000000'),
    hex('00001d 01 28 00000001 02 8000000010'),
    hex('0f108b 1d75d0620d263d4c4d6564 8286 418cf1e3c2 0000'),
    hex('000009 09 04 00000001 e5f23a6ba0ab90 f4ff'),
  ]);
  expect(confirmGrpc(opening)).toEqual({ verdict: 'match' });
  fc.assert(
    fc.property(fc.nat(opening.length), fc.uint8Array({ maxLength: 12 }), fc.nat(60), (at, bytes, cut) => {
      const mutant = Buffer.concat([opening.subarray(0, at), bytes, opening.subarray(at + bytes.length)]);
      for (const answer of [confirmGrpc, http2Facts]) {
        const early = answer(mutant.subarray(0, mutant.length - Math.min(cut, mutant.length)));
        if (early.verdict !== 'more') expect(answer(mutant)).toEqual(early);
      }
    }),
    { numRuns: 5000 },
  );
});

/** Prefix length at the first answer, when the parser gets exactly as many bytes as it asks for. */
function firstAnswer(opening: Uint8Array): number {
  let end = 0;
  for (let read: HeaderBlock; ; end = read.bytesNeeded) {
    read = readHeaderBlock(opening.subarray(0, end));
    if (read.verdict !== 'more') return end;
    expect(read.bytesNeeded).toBeGreaterThan(end);
    expect(read.bytesNeeded).toBeLessThanOrEqual(opening.length);
  }
}

/** Characters with long codes among enough with short ones that the encoder still uses Huffman. */
function everyCharacter(): Record<string, string> {
  const values: Record<string, string> = {};
  for (let first = 0x20; first < 0x100; first += 16) {
    const characters = Array.from({ length: 16 }, (_, i) => String.fromCharCode(first + i));
    values[`x-${first}`] = `${'a'.repeat(200)}${characters.join('').replace('\x7f', '')}a`;
  }
  return values;
}

/** The client's bytes before it has received anything. */
async function openingOf(headers: OutgoingHttpHeaders): Promise<Buffer> {
  const server = await listenTcp();
  const session = http2.connect(`http://127.0.0.1:${server.port}`);
  session.request(headers).on('error', () => {});
  const peer = await server.peer(0);
  await eventually('a request', () => readHeaderBlock(peer.received).verdict === 'block');
  session.destroy();
  await server.close();
  return peer.received;
}

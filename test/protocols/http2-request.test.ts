/** The first request of an HTTP/2 connection: its host, from every place that may name it. */
import { describe, expect, test } from 'vitest';
import type { FactsAnswer } from '../../src/model/facts.js';
import { preface } from '../../src/protocols/http2-frames.js';
import { http2Facts } from '../../src/protocols/http2-request.js';

const settings = frame(4, 0, Buffer.alloc(0));

function frame(type: number, flags: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head[8] = type === 4 ? 0 : 1;
  return Buffer.concat([head, payload]);
}

/** Literals without indexing (RFC 7541 section 6.2.2). */
const block = (headers: readonly (readonly [string, string])[]): Buffer =>
  Buffer.concat(
    headers
      .flat()
      .flatMap((text, index) => [
        Buffer.from(index % 2 === 0 ? [0] : []),
        Buffer.from([text.length]),
        Buffer.from(text, 'latin1'),
      ]),
  );

const opening = (...headers: readonly (readonly [string, string])[]): Buffer =>
  Buffer.concat([Buffer.from(preface), settings, frame(1, 4, block(headers))]);

const get = [':method', 'GET'] as const;
const root = [':path', '/'] as const;
const known = { method: 'GET', path: '/' };

const rows: readonly { why: string; headers: (readonly [string, string])[]; expect: FactsAnswer }[] = [
  {
    why: 'its authority',
    headers: [get, root, [':authority', 'A.example:80']],
    expect: { verdict: 'facts', facts: { ...known, host: 'a.example' } },
  },
  {
    why: 'a host header, where a request of HTTP/1 was translated',
    headers: [get, root, ['host', 'a.example']],
    expect: { verdict: 'facts', facts: { ...known, host: 'a.example' } },
  },
  { why: 'nobody', headers: [get, root], expect: { verdict: 'facts', facts: known } },
  {
    why: 'both, and they agree',
    headers: [get, root, [':authority', 'a.example'], ['host', 'A.example']],
    expect: { verdict: 'facts', facts: { ...known, host: 'a.example' } },
  },
  {
    why: 'both, and they do not agree',
    headers: [get, root, [':authority', 'a.example'], ['host', 'b.example']],
    expect: { verdict: 'facts', facts: { ...known, host: 'a.example' }, doubtful: ['host'] },
  },
  {
    why: 'two authorities',
    headers: [get, root, [':authority', 'a.example'], [':authority', 'b.example']],
    expect: { verdict: 'facts', facts: { ...known, host: 'a.example' }, doubtful: ['host'] },
  },
  {
    why: 'a host in upper case, which nobody should send',
    headers: [get, root, [':authority', 'a.example'], ['Host', 'b.example']],
    expect: { verdict: 'facts', facts: { ...known, host: 'a.example' }, doubtful: ['host'] },
  },
  {
    why: 'somebody with a user, which nobody should send',
    headers: [get, root, [':authority', 'a@b.example']],
    expect: { verdict: 'facts', facts: { ...known, host: 'a@b.example' }, doubtful: ['host'] },
  },
];

describe('a request is for', () => {
  test.each(rows)('$why', ({ headers, expect: due }) => expect(http2Facts(opening(...headers))).toEqual(due));
});

test('a client that waits for the server has not asked yet', () => {
  const bytes = Buffer.concat([Buffer.from(preface), settings]);
  expect(http2Facts(bytes)).toEqual({ verdict: 'more', bytesNeeded: bytes.length + 9, facts: {} });
});

test('more frames than a client sends before its request', () => {
  const bytes = Buffer.concat([Buffer.from(preface), ...Array<Buffer>(257).fill(settings)]);
  expect(http2Facts(bytes)).toEqual({ verdict: 'broken', facts: {} });
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createHttpHandler, http, httpLimits } from '../../src/handlers/http.js';
import { Pair } from './pair.js';

let pair: Pair;
beforeAll(async () => {
  pair = await Pair.serve(http);
});
afterAll(() => pair.close());

const request = (line: string, ...headers: string[]) =>
  `${[line, 'Host: localhost', ...headers].join('\r\n')}\r\n\r\n`;
const CLOSE = 'Connection: close';

const cases = [
  {
    why: 'curl gets text',
    send: request('GET / HTTP/1.1', 'User-Agent: curl/8.5.0', 'Accept: */*', CLOSE),
    expect: [
      /^HTTP\/1\.1 200 /,
      /content-type: text\/plain/,
      /protocol {9}http\n/,
      /decided at byte {2}16\n/,
    ],
  },
  {
    why: 'a browser gets a page without outside assets',
    send: request('GET / HTTP/1.1', 'Accept: text/html,*/*;q=0.8', CLOSE),
    expect: [/content-type: text\/html/, /<td>192\.0\.2\.7:50123<\/td>/, /default-src 'none'/],
  },
  {
    why: 'what the client sent is text, not markup',
    send: request('GET / HTTP/1.1', 'Accept: text/html', 'User-Agent: <img src=x>', CLOSE),
    expect: [/&lt;script&gt;/, /&lt;img src=x&gt;/],
    never: /<script>|<img/,
  },
  {
    why: 'programs get JSON',
    send: request('GET /?q HTTP/1.1', 'Accept: application/json', CLOSE),
    expect: [/content-type: application\/json/, /"decidedAtByte":16/],
  },
  {
    why: 'HEAD has the headers only',
    send: request('HEAD / HTTP/1.1', CLOSE),
    expect: [/^HTTP\/1\.1 200 /, /content-length: \d{2,}\r\n/, /\r\n\r\n$/],
  },
  { why: 'one page only', send: request('GET /x HTTP/1.1', CLOSE), expect: [/^HTTP\/1\.1 404 /] },
  {
    why: 'nothing to change here',
    send: request('DELETE / HTTP/1.1', CLOSE),
    expect: [/^HTTP\/1\.1 405 /, /allow: GET, HEAD\r\n/],
  },
  {
    why: 'a body is not taken, and not taken for a request',
    send: `${request('POST / HTTP/1.1', 'Content-Length: 18')}GET / HTTP/1.1\r\n\r\n`,
    expect: [/^HTTP\/1\.1 413 /, /connection: close\r\n/],
    never: /HTTP\/1\.1 200/,
  },
  {
    why: 'kept alive, in order',
    send: request('GET / HTTP/1.1') + request('GET /x HTTP/1.1') + request('GET / HTTP/1.1', CLOSE),
    expect: [/^HTTP\/1\.1 200 .*HTTP\/1\.1 404 .*HTTP\/1\.1 200 /s],
  },
  { why: 'no HTTP', send: 'GET / XYZ\r\n\r\n', expect: [/^HTTP\/1\.1 400 /] },
  {
    why: 'headers over the limit',
    send: request('GET / HTTP/1.1', `X: ${'x'.repeat(httpLimits.headerBytesMax)}`),
    expect: [/^HTTP\/1\.1 431 /],
  },
];

describe('http handler', () => {
  test.each(cases)('$why', async ({ send, expect: patterns, never }) => {
    const got = await pair.exchange(send);
    for (const pattern of patterns) expect(got).toMatch(pattern);
    if (never) expect(got).not.toMatch(never);
  });

  test('a request that takes for ever is cut off', async () => {
    const hasty = await Pair.serve(createHttpHandler({ ...httpLimits, headersTimeMsMax: 50, checkMs: 10 }));
    const client = await hasty.connect();
    const drip = setInterval(() => client.write('x'), 5);
    // Cut off while it sends, it may hear a reset behind the answer.
    const answer: Buffer[] = [];
    client.on('data', (chunk: Buffer) => answer.push(chunk)).on('error', () => {});
    client.write('GET / HTTP/1.1\r\nX: ');
    await new Promise((resolve) => client.once('end', resolve).once('close', resolve));
    clearInterval(drip);
    expect(Buffer.concat(answer).toString()).toMatch(/^HTTP\/1\.1 408 /);
    hasty.close();
  });
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createHttpHandler, http, httpLimits } from '../../src/handlers/http.js';
import { Pair, readAll } from './pair.js';

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

  const more = [
    { why: 'a request of version 1.0 is the last', send: 'GET / HTTP/1.0\r\n\r\n', status: 200, close: true },
    {
      why: 'one of version 1.0 that asks for more is not',
      send: 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n',
      status: 200,
      close: false,
    },
    {
      why: 'a target with its host',
      send: request('GET http://localhost/?q HTTP/1.1'),
      status: 200,
      close: false,
    },
    { why: 'line feeds alone', send: 'GET / HTTP/1.1\nHost: a\n\n', status: 200, close: false },
    {
      why: 'empty lines before a request',
      send: `\r\n\r\n${request('GET / HTTP/1.1')}`,
      status: 200,
      close: false,
    },
    { why: 'no host', send: 'GET / HTTP/1.1\r\n\r\n', status: 400, close: true },
    { why: 'a header without a colon', send: request('GET / HTTP/1.1', 'odd'), status: 400, close: true },
    {
      why: 'a length that is no number',
      send: request('GET / HTTP/1.1', 'Content-Length: 1,1'),
      status: 400,
      close: true,
    },
    { why: 'another version', send: request('GET / HTTP/2.0'), status: 505, close: true },
    {
      why: 'too many headers',
      send: request(
        'GET / HTTP/1.1',
        ...Array.from({ length: httpLimits.headersMax }, (_, n) => `X-${n}: 1`),
      ),
      status: 431,
      close: true,
    },
    {
      why: 'a body in chunks',
      send: request('PUT / HTTP/1.1', 'Transfer-Encoding: chunked'),
      status: 413,
      close: true,
    },
  ];
  test.each(more)('$why', async ({ send, status, close }) => {
    const got = await pair.exchange(send);
    expect(got).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(got).toMatch(close ? /\r\nconnection: close\r\n/ : /\r\nconnection: keep-alive\r\n/);
  });

  test('the same however it is cut', async () => {
    const send = request('GET / HTTP/1.1') + request('GET /x HTTP/1.1', CLOSE);
    const pattern = /^HTTP\/1\.1 200 .*HTTP\/1\.1 404 /s;
    for (const size of [1, 7, 16]) {
      const chunks = Array.from({ length: Math.ceil(send.length / size) }, (_, n) =>
        send.slice(n * size, (n + 1) * size),
      );
      expect(await pair.exchange(...chunks)).toMatch(pattern);
    }
  });

  test('the last of so many requests says that it is', async () => {
    const few = await Pair.serve(createHttpHandler({ ...httpLimits, requestsPerConnectionMax: 3 }));
    const got = await few.exchange(request('GET / HTTP/1.1').repeat(9));
    expect(got.match(/HTTP\/1\.1 200 /g)).toHaveLength(3);
    expect(got.match(/connection: close/g)).toHaveLength(1);
    few.close();
  });

  test('a client that sends nothing more is left', async () => {
    const hasty = await Pair.serve(createHttpHandler({ ...httpLimits, keepAliveMs: 30 }));
    const client = await hasty.connect();
    client.write(request('GET / HTTP/1.1'));
    expect((await readAll(client)).toString()).toMatch(/^HTTP\/1\.1 200 /);
    hasty.close();
  });

  test('a client that does not read is not read from, and gets every answer when it does', async () => {
    const patient = await Pair.serve(createHttpHandler({ ...httpLimits, requestsPerConnectionMax: 1e9 }));
    const client = await patient.connect();
    client.pause();
    const requests = request('GET / HTTP/1.1').repeat(10_000);
    let sent = 0;
    while (sent < 100 && client.writableLength < 4 * requests.length) {
      client.write(requests);
      sent += 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(sent).toBeLessThan(100);
    client.end();
    const answers = (await readAll(client)).toString().split('HTTP/1.1 200 ').length - 1;
    expect(answers).toBe(sent * 10_000);
    patient.close();
  });

  test('a request that takes for ever is cut off', async () => {
    const hasty = await Pair.serve(createHttpHandler({ ...httpLimits, headersTimeMsMax: 50 }));
    const client = await hasty.connect();
    const drip = setInterval(() => client.write('x'), 5);
    // Cut off while sending, the client may get RST behind the reply.
    const answer: Buffer[] = [];
    client.on('data', (chunk: Buffer) => answer.push(chunk)).on('error', () => {});
    client.write('GET / HTTP/1.1\r\nX: ');
    await new Promise((resolve) => client.once('end', resolve).once('close', resolve));
    clearInterval(drip);
    expect(Buffer.concat(answer).toString()).toMatch(/^HTTP\/1\.1 408 /);
    hasty.close();
  });
});

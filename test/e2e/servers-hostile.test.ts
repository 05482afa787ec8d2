/** Requests that try to be more than they are, to both servers of the primary: paths, chunks, pipelines, crowds. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ControlSite, startControlled } from '../support/control.js';
import type { Daemon } from '../support/daemon.js';
import { within } from '../support/wait.js';

let daemon: Daemon;
let site: ControlSite;
let adminPort: number;

beforeAll(async () => {
  ({
    daemon,
    site,
    port: adminPort,
  } = await startControlled({
    protocols: [{ name: 'Redis', handler: 'builtin:redis' }],
  }));
});

afterAll(() => daemon.stop());

type Server = 'monitoring' | 'admin';
const servers: readonly Server[] = ['monitoring', 'admin'];
const portOf = (server: Server) => (server === 'admin' ? adminPort : daemon.metricsPort);

/** Bytes as they are sent; what came back, once the daemon has closed. */
async function raw(server: Server, bytes: string): Promise<string> {
  const socket = connect(portOf(server), '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => {});
  socket.write(Buffer.from(bytes, 'latin1'));
  await within('the end of the answer', once(socket, 'close'));
  return Buffer.concat(chunks).toString('latin1');
}

const HEAD = 'Host: 127.0.0.1\r\n';
const get = (target: string) => `GET ${target} HTTP/1.1\r\n${HEAD}\r\n`;
const chunked = (body: string) =>
  `POST /api/v1/reload HTTP/1.1\r\n${HEAD}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${body}`;

const cases = [
  { why: 'two slashes', bytes: get('//health/live'), says: /^HTTP\/1\.1 404 / },
  { why: 'two slashes inside', bytes: get('/health//live'), says: /^HTTP\/1\.1 404 / },
  { why: 'a slash behind', bytes: get('/health/live/'), says: /^HTTP\/1\.1 404 / },
  { why: 'the way up', bytes: get('/x/../health/live'), says: /^HTTP\/1\.1 404 / },
  { why: 'an encoded slash', bytes: get('/health%2Flive'), says: /^HTTP\/1\.1 404 / },
  { why: 'encoded letters', bytes: get('/%68ealth/live'), says: /^HTTP\/1\.1 404 / },
  { why: 'an encoded way up', bytes: get('/%2e%2e/health/live'), says: /^HTTP\/1\.1 404 / },
  { why: 'an encoded zero', bytes: get('/health/live%00'), says: /^HTTP\/1\.1 404 / },
  { why: 'a backslash', bytes: get('\\health\\live'), says: /^HTTP\/1\.1 400 / },
  { why: 'the absolute form', bytes: get('http://127.0.0.1/health/live'), says: /^HTTP\/1\.1 404 / },
  { why: 'a name of every object', bytes: get('__proto__'), says: /^HTTP\/1\.1 400 / },
  { why: 'bytes beyond ASCII', bytes: get('/\xff\xfe\x9b31m'), says: /^HTTP\/1\.1 40[04] / },
  {
    why: 'a fold of a header',
    bytes: `GET /health/live HTTP/1.1\r\n${HEAD} x\r\n\r\n`,
    says: /^HTTP\/1\.1 400 /,
  },
  {
    why: 'a line feed alone',
    bytes: `GET /health/live HTTP/1.1\nHost: 127.0.0.1\n\n`,
    says: /^HTTP\/1\.1 400 /,
  },
  {
    why: 'a blank before the colon',
    bytes: `GET /health/live HTTP/1.1\r\nHost : 127.0.0.1\r\n\r\n`,
    says: /^HTTP\/1\.1 400 /,
  },
  {
    why: 'huge headers',
    bytes: `GET / HTTP/1.1\r\n${HEAD}X: ${'x'.repeat(70_000)}\r\n\r\n`,
    says: /^HTTP\/1\.1 431 /,
  },
  {
    why: 'many headers',
    bytes: `GET / HTTP/1.1\r\n${HEAD}${'a:\r\n'.repeat(20_000)}\r\n`,
    says: /^HTTP\/1\.1 431 /,
  },
] as const;

const chunks = [
  { why: 'a size that is none', body: 'zz\r\n' },
  { why: 'a negative size', body: '-1\r\n' },
  { why: 'a size beyond numbers', body: 'ffffffffffffffffff\r\n' },
  { why: 'a long extension', body: `1;${'x'.repeat(70_000)}\r\n` },
  { why: 'no end of a chunk', body: '1\r\nxGET / HTTP/1.1\r\n' },
] as const;

describe.each(servers)('%s', (server) => {
  test.each(cases)('$why', async ({ bytes, says }) => {
    expect(await raw(server, bytes)).toMatch(says);
    expect((await daemon.get('/health/live')).status).toBe(200);
  });

  test.each(chunks)('chunks: $why', async ({ body }) => {
    const answer = await raw(server, chunked(body));
    // One answer at most, whatever stood behind the first request.
    expect((answer.match(/HTTP\/1\.1 \d/g) ?? []).length).toBeLessThan(2);
    expect((await daemon.get('/health/live')).status).toBe(200);
  });

  test('pipelined requests: the first alone is answered', async () => {
    const answer = await raw(server, get('/health/live').repeat(30));
    expect(answer.match(/HTTP\/1\.1 \d+/g)?.[0]).toBe('HTTP/1.1 200');
    expect(answer.match(/HTTP\/1\.1 200/g)).toHaveLength(1);
  });
});

test('fifty idle connections at each server hide neither', async () => {
  const idle: Socket[] = [];
  for (const server of servers) {
    for (let each = 0; each < 50; each += 1) {
      const socket = connect(portOf(server), '127.0.0.1').on('error', () => {});
      await Promise.race([once(socket, 'connect'), once(socket, 'close')]);
      if (each % 2 === 0) socket.write('GET /health/live HTTP/1.1\r\nX');
      idle.push(socket);
    }
  }
  for (let probe = 0; probe < 10; probe += 1) {
    expect((await daemon.get('/health/ready')).status).toBe(200);
    expect((await site.get('/health/ready')).status).toBe(200);
  }
  for (const socket of idle) socket.destroy();
});

test('two Hosts are refused: which one counts is unknown to whoever stands before us', async () => {
  const answer = await raw('admin', `GET / HTTP/1.1\r\n${HEAD}Host: evil.example\r\n\r\n`);
  expect(answer).toMatch(/^HTTP\/1\.1 400 .*two Host headers/s);
});

test('a foreign page changes nothing, whatever it may read', async () => {
  const headers = { 'sec-fetch-site': 'cross-site' };
  expect(await site.ask('POST', '/api/v1/reload', { headers })).toMatchObject({
    status: 403,
    body: { error: { code: 'foreign_origin' } },
  });
  expect((await site.ask('DELETE', '/api/v1/protocols/redis', { headers })).status).toBe(403);
  expect((await site.get('/api/v1/protocols')).body.protocols).toHaveLength(1);
});

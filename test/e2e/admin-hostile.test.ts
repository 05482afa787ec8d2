/** Clients of the control interface that are slow, huge, many or strange: none keeps another one from its answer. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ControlSite, startControlled } from '../support/control.js';
import type { Daemon } from '../support/daemon.js';
import { redisPing } from '../support/flights.js';
import { residentBytes } from '../support/proc.js';
import { dial, echo, listenTcp, type Upstream } from '../support/tcp.js';
import { eventually, within } from '../support/wait.js';

let daemon: Daemon;
let site: ControlSite;
let port: number;
let upstream: Upstream;

beforeAll(async () => {
  upstream = await listenTcp(echo);
  ({ daemon, site, port } = await startControlled({
    server: { max_connections: 20 },
    protocols: [{ name: 'Redis', target: upstream.target }],
  }));
});

afterAll(async () => {
  await daemon.stop();
  await upstream.close();
});

/** Bytes as they are sent; the answer, once the daemon has closed. */
async function raw(bytes: string | Buffer): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => {});
  socket.write(bytes);
  await within('the end of the answer', once(socket, 'close'));
  return Buffer.concat(chunks).toString();
}

const head = 'Host: 127.0.0.1\r\n';

async function crowd(count: number, opening = '', to = port): Promise<Socket[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const socket = connect(to, '127.0.0.1').on('error', () => {});
      socket.resume();
      await Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(() => {});
      if (opening !== '') socket.write(opening);
      return socket;
    }),
  );
}

describe('malformed and huge requests have a fitting answer', () => {
  const cases = [
    { why: 'no HTTP', bytes: '\x16\x03\x01\x00\x05hello', says: /^HTTP\/1\.1 400 .*"bad_request"/s },
    { why: 'no Host', bytes: 'GET / HTTP/1.0\r\n\r\n', says: /^HTTP\/1\.1 403 .*"foreign_host"/s },
    {
      why: 'two Hosts',
      bytes: `GET / HTTP/1.1\r\n${head}Host: evil.example\r\n\r\n`,
      says: /^HTTP\/1\.1 (?:400|200) /,
    },
    {
      why: 'headers without an end',
      bytes: `GET / HTTP/1.1\r\n${head}X: ${'x'.repeat(100_000)}`,
      says: /^HTTP\/1\.1 431 .*"headers_too_large"/s,
    },
    {
      why: 'a long URL',
      bytes: `GET /${'x'.repeat(5000)} HTTP/1.1\r\n${head}\r\n`,
      says: /^HTTP\/1\.1 414 .*"uri_too_long"/s,
    },
    {
      why: 'a body that is announced as huge',
      bytes: `PUT /api/v1/config HTTP/1.1\r\n${head}Content-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n`,
      says: /^HTTP\/1\.1 413 .*"body_too_large"/s,
    },
    {
      why: 'a body that is huge',
      bytes: Buffer.concat([
        Buffer.from(
          `PUT /api/v1/config HTTP/1.1\r\n${head}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n400000\r\n`,
        ),
        Buffer.alloc(0x400000, ' '),
      ]),
      says: /^HTTP\/1\.1 413 .*"body_too_large"/s,
    },
    {
      why: 'two lengths (request smuggling)',
      bytes: `POST /api/v1/reload HTTP/1.1\r\n${head}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      says: /^HTTP\/1\.1 400 /,
    },
    { why: 'CONNECT', bytes: `CONNECT 127.0.0.1:22 HTTP/1.1\r\n${head}\r\n`, says: /^$/ },
    {
      why: 'an upgrade',
      bytes: `GET /health/live HTTP/1.1\r\n${head}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
      says: /^HTTP\/1\.1 200 /,
    },
  ];

  test.each(cases)('$why', async ({ bytes, says }) => {
    expect(await raw(bytes)).toMatch(says);
    expect((await site.get('/health/live')).status).toBe(200);
  });

  test('JSON that is nested deeply is refused, and the daemon goes on', async () => {
    const deep = Buffer.from(`${'[{"a":'.repeat(100_000)}1${'}]'.repeat(100_000)}`);
    const told = await site.ask('PUT', '/api/v1/config', { body: deep });
    expect(told.status).toBeGreaterThanOrEqual(400);
    expect(told.status).toBeLessThan(500);
    const inside = Buffer.from(`{"upstreams":${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}}`);
    const below = await site.ask('PUT', '/api/v1/config', { body: inside });
    expect(below).toMatchObject({ status: 422, body: { error: { code: 'invalid_config' } } });
    expect((await site.get('/health/live')).status).toBe(200);
  });

  test('keys of every object are no settings', async () => {
    const body = Buffer.from('{"__proto__":{"server":{"workers":3}},"constructor":{}}');
    const told = await site.ask('PUT', '/api/v1/config', { body });
    expect(told.status).toBe(422);
    expect((await site.get('/health/live')).status).toBe(200);
  });
});

test('pipelined requests: the first is answered, none of the others is obeyed', async () => {
  const deletion = `DELETE /api/v1/protocols/redis HTTP/1.1\r\n${head}\r\n`;
  const answer = await raw(`GET /health/live HTTP/1.1\r\n${head}\r\n${deletion.repeat(50)}`);
  expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  expect(answer.match(/HTTP\/1\.1 200 /g)).toHaveLength(1);
  expect((await site.get('/api/v1/protocols')).body.protocols).toHaveLength(1);
});

test('who sends slowly or not at all is let go, and nobody waits for it', async () => {
  const openings = [
    '',
    'GET / HT',
    `GET / HTTP/1.1\r\n${head}`,
    `PUT /api/v1/config HTTP/1.1\r\n${head}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{`,
  ];
  const slow = (await Promise.all(openings.map((opening) => crowd(4, opening)))).flat();
  const trickle = setInterval(() => {
    for (const socket of slow) if (socket.writable) socket.write('x');
  }, 500);
  const closed = slow.map((socket) => once(socket, 'close').catch(() => {}));
  for (let probe = 0; probe < 10; probe++) expect((await site.get('/api/v1/status')).status).toBe(200);
  await within('slow clients to be closed', Promise.all(closed));
  clearInterval(trickle);
});

test('a client that goes away amid its body is no failure of ours', async () => {
  const opening = `PUT /api/v1/config HTTP/1.1\r\n${head}Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{`;
  for (const socket of await crowd(5, opening)) socket.resetAndDestroy();
  for (let probe = 0; probe < 5; probe++) expect((await site.get('/health/live')).status).toBe(200);
  expect(daemon.lines.filter(({ msg }) => msg === 'control request failed')).toEqual([]);
});

test('a client that reads nothing holds no answer for long', async () => {
  const socket = connect({ port, host: '127.0.0.1' }).on('error', () => {});
  socket.pause();
  socket.write(`GET /api/v1/openapi.json HTTP/1.1\r\n${head}\r\n`);
  await sleep(100);
  expect((await site.get('/health/live')).status).toBe(200);
  socket.destroy();
});

describe('a thousand connections', () => {
  test('cost nobody the answer, and little memory', async () => {
    for (const socket of await crowd(100)) socket.destroy();
    const before = residentBytes(daemon.pid);
    const sockets: Socket[] = [];
    for (let round = 0; round < 10; round++) {
      sockets.push(...(await crowd(100, round % 2 === 0 ? '' : `GET / HTTP/1.1\r\n${head}`)));
      expect((await site.get('/api/v1/status')).status).toBe(200);
    }
    expect(residentBytes(daemon.pid) - before).toBeLessThan(32 * 1024 * 1024);
    expect(await daemon.metric('anyport_monitoring_evicted_total')).toBeGreaterThan(800);
    for (const socket of sockets) socket.destroy();
  });

  test('with large bodies under way are bounded together', async () => {
    const opening = `PUT /api/v1/config HTTP/1.1\r\n${head}Content-Type: application/json\r\nContent-Length: 2000000\r\n\r\n`;
    const before = residentBytes(daemon.pid);
    const sockets = await crowd(30, opening + ' '.repeat(1_900_000));
    await sleep(300);
    expect((await site.get('/api/v1/status')).status).toBe(200);
    expect(residentBytes(daemon.pid) - before).toBeLessThan(48 * 1024 * 1024);
    for (const socket of sockets) socket.destroy();
  });
});

test('it answers while the data plane is at its limit', async () => {
  const clients = await Promise.all(Array.from({ length: 20 }, () => dial(daemon.port)));
  for (const client of clients) client.send(redisPing);
  await Promise.all(clients.map((client) => client.bytes(redisPing.length)));
  await dial(daemon.port).then(
    (refused) => refused.end(),
    () => {}, // reset at once
  );
  const { body } = await site.get('/api/v1/status');
  expect(body.activeConnections).toBe(20);
  expect(body.security.refused.overLimit).toBeGreaterThan(0);
  expect((await site.get('/api/v1/sessions')).body.matching).toBe(20);
  for (const client of clients) client.finish();
});

test('it answers where the open files are few, all of them in use, and its own connections too', async () => {
  const files = { wrapper: ['prlimit', '--nofile=160:160'] };
  const few = await startControlled({ protocols: [{ name: 'Redis', target: upstream.target }] }, files);
  const most = await few.daemon.metric('anyport_max_connections');
  expect(most).toBeGreaterThan(5);
  const clients = await Promise.all(Array.from({ length: most }, () => dial(few.daemon.port)));
  for (const client of clients) client.send(redisPing);
  await Promise.all(clients.map((client) => client.bytes(redisPing.length)));
  const idle = await crowd(60, '', few.port);
  for (let probe = 0; probe < 5; probe++) {
    expect((await few.site.get('/api/v1/status')).body.activeConnections).toBe(most);
    expect((await few.daemon.get('/health/ready')).status).toBe(200);
  }
  for (const socket of idle) socket.destroy();
  for (const client of clients) client.finish();
  await few.daemon.stop();
});

test('what was refused is in the log, a line a second at most', async () => {
  await sleep(1000); // a second of its own
  const before = daemon.lines.length;
  const begin = performance.now();
  for (let request = 0; request < 50; request++) {
    await site.ask('GET', '/', { headers: { host: 'evil.example' } });
  }
  const told = () => daemon.lines.slice(before).filter(({ msg }) => msg === 'control request refused');
  const lines = await eventually('a line', () => told().length > 0 && told());
  expect(lines.length).toBeLessThanOrEqual(Math.ceil((performance.now() - begin) / 1000) + 1);
  expect(lines[0]).toMatchObject({ source: '127.0.0.1', status: 403 });
});

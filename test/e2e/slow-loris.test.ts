/**
 * Slow-loris clients in every variant: none occupies its place beyond the timeout, blocks other clients or leaks
 * memory.
 */
import { afterEach, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { redisPing } from '../support/flights.js';
import { freePort } from '../support/ports.js';
import { dial, echo, listenTcp, type Peer, type Upstream } from '../support/tcp.js';

const bytes = (latin1: string): Buffer => Buffer.from(latin1, 'latin1');
const tlsRecord = (payload: string) =>
  bytes(`\x16\x03\x01${String.fromCharCode(payload.length >> 8, payload.length & 0xff)}${payload}`);
const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const settings = '\0\0\0\x04\0\0\0\0\0';
const hello = '\x01\0\x40\0\x03\x03'; // start of a 16 KiB ClientHello

interface Kind {
  readonly why: string;
  readonly opening: Uint8Array;
  /** Repeated until the session ends; absent: silence. */
  readonly drip?: Uint8Array;
  /** Sent behind a PROXY header from a trusted peer. */
  readonly behindProxy?: boolean;
}

const kinds: Kind[] = [
  { why: 'nothing at all', opening: bytes('') },
  { why: 'one byte', opening: bytes('G') },
  { why: 'a method, byte by byte', opening: bytes('G'), drip: bytes('E') },
  { why: 'a request target without an end', opening: bytes('GET /'), drip: bytes('a') },
  { why: 'empty lines before a request', opening: bytes('\r\n'), drip: bytes('\r') },
  {
    why: 'a head without an end, header by header',
    opening: bytes('GET / HTTP/1.1\r\n'),
    drip: bytes('X: y\r\n'),
  },
  { why: 'a header without an end', opening: bytes('GET / HTTP/1.1\r\nX: '), drip: bytes('y') },
  { why: 'half a TLS record', opening: tlsRecord(`${hello}${'a'.repeat(64)}`).subarray(0, 40) },
  { why: 'a hello in records of one byte', opening: tlsRecord('\x01'), drip: tlsRecord('\0') },
  {
    why: 'a hello that is dripped',
    opening: tlsRecord(`${hello}${'a'.repeat(8192)}`).subarray(0, 32),
    drip: bytes('a'),
  },
  { why: 'half the preface of HTTP/2', opening: bytes(preface.slice(0, 12)) },
  {
    why: 'a frame of HTTP/2 that is dripped',
    opening: bytes(`${preface}\0\x20\0\x04\0\0\0\0\0`),
    drip: bytes('\0'),
  },
  {
    why: 'frames of HTTP/2 and never a request',
    opening: bytes(`${preface}${settings}\0\0\x04\x08\0\0\0\0\0\0`),
    drip: bytes('\x0f\0\0\0\0\x04\x08\0\0\0\0\0\0'),
  },
  { why: 'a Redis command that is dripped', opening: bytes('*1\r\n$9'), drip: bytes('9') },
  { why: 'a PROXY header without an end', opening: bytes('PROXY TCP4 192.0.2.1'), behindProxy: true },
  {
    why: 'a PROXY header of version 2 that is dripped',
    opening: bytes('\r\n\r\n\0\r\nQUIT\n\x21\x11\x10\0'),
    drip: bytes('\x04'),
    behindProxy: true,
  },
];

const proxy = '127.0.0.9';
const SERVED = 5;

let daemon: Daemon;
let upstream: Upstream;

afterEach(async () => {
  await daemon.stop();
  await upstream.close();
});

test(`${kinds.length} kinds of clients that never finish`, async () => {
  upstream = await listenTcp(echo);
  const { target } = upstream;
  const port = await freePort();
  daemon = await startDaemon({
    server: { identify_timeout: '3s', max_connections: 200 },
    listeners: [
      {
        name: 'front',
        address: `127.0.0.1:${port}`,
        proxy_protocol: { accept: true, trusted: [proxy] },
        on_unknown: 'reset',
      },
    ],
    // Protocols that need more than their signature: end of a head, of a hello, of request headers.
    protocols: [
      { name: 'Redis', target },
      { name: 'SSH', target },
      { name: 'WebSocket', target },
      { name: 'gRPC', target },
      { name: 'HTTP', target: 'closed' },
      { name: 'TLS', target: 'closed' },
    ],
    routes: [
      { when: { protocol: 'HTTP', host: 'a.test' }, to: 'up' },
      { when: { protocol: 'TLS', sni: 'a.test' }, to: 'up' },
    ],
    upstreams: { up: { endpoints: [target] }, closed: { endpoints: [`127.0.0.1:${await freePort()}`] } },
  });
  const clients: { kind: Kind; client: Peer }[] = [];
  const drips: NodeJS.Timeout[] = [];
  for (const kind of kinds) {
    for (let n = 0; n < 3; n += 1) {
      const client = (await dial(port, kind.behindProxy ? proxy : '127.0.0.2')).send(kind.opening);
      clients.push({ kind, client });
      const { drip } = kind;
      if (drip) drips.push(setInterval(() => client.ending ?? client.send(drip), 100));
    }
  }

  // Other clients are served meanwhile.
  for (let n = 0; n < SERVED; n += 1) {
    const client = (await dial(port)).send(redisPing);
    await client.bytes(redisPing.length);
    client.reset();
  }

  for (const { kind, client } of clients) expect(await client.end(), kind.why).toBeDefined();
  for (const drip of drips) clearInterval(drip);
  await daemon.metricBecomes('anyport_sessions_active', 0);
  const lines = await daemon.ended(clients.length + SERVED);
  expect(lines).toHaveLength(clients.length + SERVED);
  expect(lines.filter(({ upstream }) => upstream !== null)).toHaveLength(SERVED);
  expect(upstream.peers).toHaveLength(SERVED);
  await daemon.booksBalance();
});

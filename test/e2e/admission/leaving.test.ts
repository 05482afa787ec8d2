/**
 * Clients that leave at any moment before the relay: inside a PROXY header of their own, in the queue for a place,
 * between PostgreSQL's questions, while the endpoint is told who they are; and changes of all of that meanwhile. Every
 * endpoint reads a header first or nothing, and every place in the queue and at an endpoint comes back.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { readProxyHeader } from '../../../src/protocols/proxy-header.js';
import { alpn, hello, records, serverName } from '../../cases/tls.js';
import { type Daemon, startDaemon, type TestConfig } from '../../support/daemon.js';
import { freePort } from '../../support/ports.js';
import { createRandom, type Random } from '../../support/random.js';
import { dial, listenTcp, type Peer, type Upstream } from '../../support/tcp.js';

const CLIENTS = 600;
const AT_ONCE = 40;
const PLACES = 3;
const PAUSE_MS_MAX = 20;
const CHANGE_MS = 200;
const TRUSTED = '127.0.0.9';

const sslRequest = Buffer.from('0000000804d2162f', 'hex');
const named = Buffer.from(records(hello([serverName('b.example'), alpn('postgresql')])));
const request = Buffer.from('GET / HTTP/1.1\r\nHost: a.example\r\n\r\n');
const announcing = Buffer.from('PROXY TCP4 192.0.2.7 198.51.100.7 4000 5432\r\n');

let daemon: Daemon;
let upstreams: Upstream[] = [];

afterEach(async () => {
  await daemon.stop();
  for (const upstream of upstreams.splice(0)) await upstream.close();
});

/** What no endpoint may see, and how often sessions came to it whole. */
const seen = { faults: [] as string[], requests: 0, hellos: 0 };

/** A PROXY header, then a request, or PostgreSQL's question, its answer after a while, and the hello. */
function strict(random: Random): (peer: Peer) => void {
  return (peer) => {
    let answered = false;
    peer.socket.on('data', async () => {
      const header = readProxyHeader(peer.received, 'tcp');
      if (header.verdict === 'more') return;
      if (header.verdict === 'no')
        return void seen.faults.push(`no header: ${peer.received.toString('hex')}`);
      const rest = peer.received.subarray(header.header.headerBytes);
      if (rest.length === 0) return;
      if (rest[0] === request[0]) return void whole(peer, rest, request, 'requests');
      if (!sslRequest.subarray(0, rest.length).equals(rest.subarray(0, sslRequest.length)))
        return void seen.faults.push(`no question: ${rest.toString('hex')}`);
      if (rest.length < sslRequest.length) return;
      if (answered) return void whole(peer, rest.subarray(sslRequest.length), named, 'hellos');
      answered = true;
      await sleep(random(PAUSE_MS_MAX));
      peer.send('S');
    });
    peer.socket.on('end', () => peer.socket.end());
  };
}

function whole(peer: Peer, bytes: Buffer, wanted: Buffer, kind: 'requests' | 'hellos'): void {
  if (!wanted.subarray(0, bytes.length).equals(bytes))
    seen.faults.push(`other bytes: ${bytes.toString('hex')}`);
  if (bytes.length < wanted.length) return;
  seen[kind] += 1;
  peer.send('answer');
}

/** Tells, places and queue differ in each; endpoints and routes stay. */
const configOf = (n: number): TestConfig => ({
  server: { workers: 2, identify_timeout: '2s', accept: 'handoff' },
  logging: { access_log: false },
  listeners: [
    {
      name: 'front',
      address: `127.0.0.1:${daemonPort}`,
      proxy_protocol: { accept: true, trusted: [TRUSTED] },
    },
  ],
  routes: [
    { when: { protocol: 'postgres', sni: 'b.example' }, to: 'db' },
    { when: { protocol: 'http' }, to: 'db' },
  ],
  upstreams: {
    db: {
      endpoints: upstreams.map(({ target }) => target),
      max_connections: PLACES,
      queue: { length: 4 + (n % 8), timeout: `${100 + 50 * (n % 3)}ms` },
      dial_timeout: '1s',
      proxy_protocol:
        n % 2 === 0
          ? { version: 'v1' }
          : { version: 'v2', tlvs: ['alpn', 'authority', 'crc32c', 'unique_id'] },
    },
  },
});

let daemonPort = 0;

async function visit(random: Random): Promise<void> {
  const behindProxy = random(3) === 0;
  const client = await dial(daemonPort, behindProxy ? TRUSTED : `127.0.0.${2 + random(4)}`);
  const isPostgres = random(2) === 0;
  const opening = isPostgres ? sslRequest : request;
  const bytes = behindProxy ? Buffer.concat([announcing, opening]) : opening;
  const leavesAt = random(2) === 0 ? random(bytes.length + 1) : bytes.length;
  for (let at = 0; at < leavesAt; ) {
    const piece = bytes.subarray(at, Math.min(leavesAt, at + 1 + random(bytes.length)));
    client.send(piece);
    at += piece.length;
    if (random(3) === 0) await sleep(random(PAUSE_MS_MAX));
  }
  if (leavesAt === bytes.length && isPostgres && random(4) > 0) {
    await Promise.race([client.ended, sleep(random(8 * PAUSE_MS_MAX))]);
    if (client.received.toString() === 'S') client.send(named);
  }
  await Promise.race([client.ended, sleep(random(8 * PAUSE_MS_MAX))]);
  if (random(2) === 0) return client.reset();
  client.finish();
  await client.end();
  client.socket.destroy();
}

/** Changes all the time until the clients are through; their number. */
async function changeUntil(through: Promise<unknown>): Promise<number> {
  let [changes, done] = [0, false as boolean];
  void through.finally(() => {
    done = true;
  });
  for (; !done; changes += 1) {
    expect(await daemon.reload(configOf(changes + 1))).toMatchObject({ msg: 'reloaded' });
    await sleep(CHANGE_MS);
  }
  return changes;
}

test(`${CLIENTS} of them`, async () => {
  const random = createRandom(1126);
  upstreams = [await listenTcp(strict(random)), await listenTcp(strict(random))];
  daemonPort = await freePort();
  daemon = await startDaemon(configOf(0));
  let left = CLIENTS;
  const run = async (seed: number) => {
    const own = createRandom(seed);
    for (; left > 0; ) {
      left -= 1;
      await visit(own);
    }
  };
  const through = Promise.all(Array.from({ length: AT_ONCE }, (_, seed) => run(seed + 1)));
  expect(await changeUntil(through)).toBeGreaterThan(0);
  await through;
  await daemon.metricBecomes('anyport_accepted_total', CLIENTS);
  await daemon.metricBecomes('anyport_sessions_active', 0);
  expect(await daemon.metric('anyport_sessions_total')).toBe(CLIENTS);
  expect(await daemon.metric('anyport_queue_sessions')).toBe(0);
  expect(await daemon.metric('anyport_endpoint_sessions')).toBe(0);
  expect(seen.faults).toEqual([]);
  expect(Math.min(seen.requests, seen.hellos)).toBeGreaterThan(0);

  // All places are there: as many are served at once, and the next one waits.
  const clients: Peer[] = [];
  for (let n = 0; n < PLACES * upstreams.length; n += 1) clients.push((await dial(daemonPort)).send(request));
  for (const client of clients) expect((await client.bytes('answer'.length)).toString()).toBe('answer');
  const next = (await dial(daemonPort)).send(request);
  await daemon.metricBecomes('anyport_queue_sessions', 1);
  clients[0]?.finish();
  expect((await next.bytes('answer'.length)).toString()).toBe('answer');
  for (const client of [...clients, next]) client.socket.destroy();
});

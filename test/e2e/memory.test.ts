/** Pipelined requests whose replies are never read cost the daemon little memory, with any handler. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { residentBytes } from '../support/proc.js';
import { eventually } from '../support/wait.js';

const MIB = 1 << 20;
const CLIENTS = 250;
/** About the size of one read. */
const AHEAD_BYTES = 1 << 16;
/** Bytes sent, replies buffered by handlers, and the worker's baseline. */
const GROWTH_MAX = 200 * MIB;

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon({
    protocols: [
      { name: 'HTTP', handler: 'builtin:http' },
      { name: 'Redis', handler: 'builtin:redis' },
      { name: 'Echo', handler: 'builtin:echo', start_bytes: ['ee'] },
    ],
  });
});
afterAll(() => daemon.stop());

async function sendAhead(requests: Buffer): Promise<Socket> {
  const socket = connect(daemon.port, '127.0.0.1').on('error', () => {});
  await once(socket, 'connect');
  socket.pause();
  socket.write(requests);
  return socket;
}

/** Waits until the daemon relays no more bytes. */
async function settled(): Promise<void> {
  let [moved, still] = [-1, 0];
  await eventually('the daemon to rest', async () => {
    const now = await daemon.metric('anyport_bytes_total');
    still = now === moved ? still + 1 : 0;
    moved = now;
    return still > 10;
  });
}

describe('requests ahead whose answers nobody reads', () => {
  const rows = [
    { handler: 'http', request: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n' },
    { handler: 'redis', request: '*1\r\n$4\r\nINFO\r\n' },
    { handler: 'echo', request: '\xee' },
  ];
  test.each(rows)('$handler', async ({ request }) => {
    const before = residentBytes(daemon.pid);
    const requests = Buffer.alloc(AHEAD_BYTES, request, 'latin1');
    const clients = await Promise.all(Array.from({ length: CLIENTS }, () => sendAhead(requests)));
    await settled();
    expect(residentBytes(daemon.pid) - before).toBeLessThan(GROWTH_MAX);
    for (const client of clients) client.resetAndDestroy();
    await daemon.metricBecomes('anyport_sessions_active', 0);
    expect(residentBytes(daemon.pid) - before).toBeLessThan(GROWTH_MAX);
  });
});

import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { native } from '../../src/addon.js';
import { createRoom } from '../../src/metrics/room.js';
import { openFiles } from '../support/proc.js';
import { dial } from '../support/tcp.js';
import { eventually } from '../support/wait.js';
import { planFor, startPlane, withIds } from '../worker/plane.js';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

function acceptInto(inboxes: readonly number[], maxConnections: number): number {
  const fd = native.listen({ host: '127.0.0.1', port: 0 }, { reusePort: false, backlog: 400 });
  const room = new Int32Array(createRoom());
  const acceptor = new native.Acceptor({ room });
  cleanups.push(
    () => native.closeFd(fd),
    () => acceptor.close(),
  );
  const [listener = 0] = withIds(planFor([])).ids.listeners;
  const sockets = [{ socket: native.socketNumber(fd), listener, fd }];
  acceptor.prepare({ generation: 1, sockets, inboxes, maxConnections });
  acceptor.leave();
  acceptor.commit();
  const address = native.localAddress(fd);
  return 'port' in address ? address.port : 0;
}

function createInbox(): number {
  const inbox = native.createInbox();
  cleanups.push(() => native.closeInbox(inbox));
  return inbox;
}

test('connections go to the worker that is there, not to one that is gone or to come', async () => {
  const CLIENTS = 20;
  const inboxes = [createInbox(), createInbox()];
  const port = acceptInto(inboxes, 2 * CLIENTS);
  for (const inbox of inboxes) {
    const plane = await startPlane(planFor([]), inbox);
    const clients = await Promise.all(Array.from({ length: CLIENTS }, () => dial(port)));
    await eventually('all to be taken', () => plane.open() === CLIENTS);
    await plane.stop();
    for (const client of clients) client.socket.destroy();
  }
});

test('no more connections are on their way to a worker than may be open, and a batch or two', async () => {
  const CLIENTS = 400;
  const port = acceptInto([createInbox()], 2);

  const before = openFiles(process.pid);
  // No worker takes connections: those over the limit stay in the backlog.
  const clients = Array.from({ length: CLIENTS }, () => connect(port, '127.0.0.1'));
  for (const client of clients) cleanups.push(() => client.destroy());
  await sleep(500);
  const onTheirWay = openFiles(process.pid) - before - CLIENTS;
  expect(onTheirWay).toBeGreaterThan(2);
  expect(onTheirWay).toBeLessThanOrEqual(2 + 128);
});

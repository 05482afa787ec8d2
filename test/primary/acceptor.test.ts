import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { native } from '../../src/addon.js';
import { openFiles } from '../support/proc.js';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

test('no more connections are on their way to a worker than may be open, and a batch or two', async () => {
  const CLIENTS = 400;
  const inbox = native.createInbox();
  cleanups.push(() => native.closeInbox(inbox));
  const fd = native.listen({ host: '127.0.0.1', port: 0 }, { reusePort: false, backlog: CLIENTS });
  cleanups.push(() => native.closeFd(fd));
  const gauges = new Int32Array(new SharedArrayBuffer(8));
  const acceptor = new native.Acceptor([inbox], { gauges, maxConnections: 2 });
  cleanups.push(() => acceptor.close());
  acceptor.listen(fd, 0);
  const address = native.localAddress(fd);
  const port = 'port' in address ? address.port : 0;

  const before = openFiles(process.pid);
  // No worker takes them; those beyond wait in the kernel's queue.
  const clients = Array.from({ length: CLIENTS }, () => connect(port, '127.0.0.1'));
  for (const client of clients) cleanups.push(() => client.destroy());
  await sleep(500);
  const onTheirWay = openFiles(process.pid) - before - CLIENTS;
  expect(onTheirWay).toBeGreaterThan(2);
  expect(onTheirWay).toBeLessThanOrEqual(2 + 128);
});

/** Limits of users: sessions at once and speed, of all their sessions together. */
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, test } from 'vitest';
import { hashPassword } from '../../../src/forward-proxy/users/scrypt.js';
import { basic, openTunnel, statusOf, type Tunnel } from '../../support/proxy-clients.js';
import type { Peer } from '../../support/tcp.js';
import { eventually } from '../../support/wait.js';
import { useStage } from './stage.js';

const stage = useStage();

const credentials = (name: string) => basic(name, 'secret');

let hash: string;
beforeAll(async () => {
  hash = await hashPassword(Buffer.from('secret'), { ln: 14, r: 8, p: 1 });
});

test('a user has so many sessions at once, over all workers, and others theirs', async () => {
  const server = await stage.server();
  const users = { alice: { hash, max_connections: 3 }, bob: hash };
  const daemon = await stage.proxy({ users }, { server: { workers: 2 } });
  const open = (name: string) => openTunnel(daemon.port, server.target, [credentials(name)]);
  const tunnels: Tunnel[] = [];
  for (let count = 0; count < 3; count += 1) tunnels.push(await open('alice'));
  expect(await statusOf(daemon.port, server.target, credentials('alice'))).toBe(503);
  expect(await statusOf(daemon.port, server.target, credentials('bob'))).toBe(200);
  tunnels[0]?.client.finish();
  await eventually('the place to be free', async () => {
    return (await statusOf(daemon.port, server.target, credentials('alice'))) === 200;
  });
});

test('a refused destination takes no place', async () => {
  const server = await stage.server();
  const daemon = await stage.proxy({
    users: { alice: { hash, max_connections: 1 } },
    deny: ['127.0.0.9/32:*'],
  });
  for (const target of ['127.0.0.9:443', '127.0.0.1:1', '127.0.0.9:443'])
    expect([403, 502]).toContain(await statusOf(daemon.port, target, credentials('alice')));
  await eventually('the place', async () => {
    return (await statusOf(daemon.port, server.target, credentials('alice'))) === 200;
  });
});

const LIMIT = 1024 * 1024;
/** Longer than a burst. */
const WINDOW_MS = 1500;

/** Sends as much as is taken. */
function pour({ socket }: Peer): void {
  const block = Buffer.alloc(64 * 1024);
  const more = () => {
    while (!socket.destroyed && socket.write(block));
  };
  socket.on('drain', more);
  more();
}

test('sessions of a user share his speed, and those of others are faster', async () => {
  const server = await stage.server(pour);
  const users = {
    alice: { hash, bandwidth: { down: LIMIT } },
    bob: { hash, bandwidth: { down: 8 * LIMIT } },
  };
  const daemon = await stage.proxy({ users }, { server: { workers: 2 } });
  const open = (name: string) => openTunnel(daemon.port, server.target, [credentials(name)]);
  const alices = await Promise.all([1, 2, 3, 4].map(() => open('alice')));
  const bobs = [await open('bob')];
  const lengthOf = (tunnels: readonly Tunnel[]) =>
    tunnels.reduce((sum, { client }) => sum + client.length, 0);
  // Behind the first burst.
  await eventually('all to have begun', () => alices.every(({ client }) => client.length > 32 * 1024));
  const before = [lengthOf(alices), lengthOf(bobs)] as const;
  await sleep(WINDOW_MS);
  const ratio = (lengthOf(bobs) - before[1]) / (lengthOf(alices) - before[0]);
  expect(ratio).toBeGreaterThan(4);
  expect(ratio).toBeLessThan(16);
});

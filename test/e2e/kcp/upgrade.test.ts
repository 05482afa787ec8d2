/** Upgrade in place: links of the old process are not ended by the new one, which does not know them. */
import { expect, test } from 'vitest';
import { datagramClient } from '../../support/datagrams.js';
import { redisPing } from '../../support/flights.js';
import { freePort } from '../../support/ports.js';
import { dial, echo, listenTcp } from '../../support/tcp.js';
import { isAlive, startGenerations } from '../../support/upgrade.js';
import { eventually } from '../../support/wait.js';
import { keep, own } from './stage.js';

const RETRY = 0xaa;
const RESET = 0xac;
const unknownPacket = Buffer.concat([
  Buffer.of(0xa8, 0),
  Buffer.from('00aabbccddeeff11', 'hex'),
  Buffer.alloc(50, 7),
]);
const hello = Buffer.concat([Buffer.of(0xa9), Buffer.alloc(511)]);

test('the new process sends no resets before the old one has ended', async () => {
  const [port, streams, echoing] = [await freePort(), await freePort(), await listenTcp(echo)];
  keep({ stop: () => echoing.close() });
  const generations = keep(
    await startGenerations({
      server: { workers: 1, graceful_shutdown_timeout: '10m', upgrade_timeout: '2m' },
      kcp: { link: own() },
      listeners: [
        { name: 'streams', address: `127.0.0.1:${streams}` },
        { name: 'links', address: `127.0.0.1:${port}`, transport: 'kcp', kcp: 'link' },
      ],
      protocols: [{ name: 'Redis', target: echoing.target }],
    }),
  );
  const held = await dial(streams);
  held.send(redisPing);
  await held.bytes(redisPing.length);
  const old = generations.pid;
  await generations.upgrade();
  const peer = await datagramClient(port);
  keep({ stop: () => peer.close() });
  const count = (kind: number) => peer.received.filter(({ bytes }) => bytes[0] === kind).length;
  // Both may read there until the old one has closed the socket; only the new one answers a hello.
  for (let answered = 0; answered < 10; answered = count(RETRY)) {
    await peer.send(unknownPacket);
    await peer.ask(hello, { again: true });
  }
  expect(count(RESET)).toBe(0);
  expect(generations.living).toContain(old);
  held.finish();
  expect(await held.end()).toBe('fin');
  await eventually('the old process to end', () => !isAlive(old));
  await eventually('a reset', async () => {
    await peer.send(unknownPacket);
    return count(RESET) > 0;
  });
});

test('the old process sends none while the new one may have the links, and goes on when there is none', async () => {
  const port = await freePort();
  const generations = keep(
    await startGenerations({
      server: { workers: 1, upgrade_timeout: '2s' },
      kcp: { link: own() },
      listeners: [{ name: 'links', address: `127.0.0.1:${port}`, transport: 'kcp', kcp: 'link' }],
      protocols: [{ name: 'Redis', target: '127.0.0.1:9' }],
    }),
  );
  const peer = await datagramClient(port);
  keep({ stop: () => peer.close() });
  const count = (kind: number) => peer.received.filter(({ bytes }) => bytes[0] === kind).length;
  const isReset = async () => {
    const before = count(RESET);
    await peer.send(unknownPacket);
    await peer.ask(hello, { again: true }); // answered behind it
    return count(RESET) > before;
  };
  expect(await isReset()).toBe(true);
  generations.replace('exec sleep 60');
  generations.signal('SIGUSR2');
  await generations.line(/^upgrade: a new process is started/);
  expect(await isReset()).toBe(false);
  await generations.line(/^upgrade failed/);
  await eventually('a reset', isReset);
});

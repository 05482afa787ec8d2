/** Upgrade in place: the sockets of datagrams pass to the next process, and clients go on. */
import { expect, test } from 'vitest';
import type { TestConfig } from '../../support/daemon.js';
import type { DatagramPeer } from '../../support/datagrams.js';
import { redisPing } from '../../support/flights.js';
import { freePort } from '../../support/ports.js';
import { dial, echo, listenTcp } from '../../support/tcp.js';
import { type Generations, isAlive, startGenerations } from '../../support/upgrade.js';
import { eventually } from '../../support/wait.js';
import { client, configTo, endpoint, later } from './stage.js';

/** Of a busy machine. */
const patient = { upgrade_timeout: '2m' };

async function start(config: TestConfig): Promise<Generations> {
  const generations = await startGenerations(config);
  later(() => generations.stop());
  return generations;
}

async function allAnswer(peers: readonly DatagramPeer[], text: string): Promise<void> {
  const answers = await Promise.all(peers.map((peer) => peer.ask(text, { again: true })));
  expect(answers.map(({ bytes }) => bytes.toString())).toEqual(peers.map(() => text));
}

test('clients of both transports go on, served by the next process', async () => {
  const [port, to, upstream] = [await freePort(), await endpoint(), await listenTcp(echo)];
  later(() => upstream.close());
  const generations = await start({
    ...configTo(port, to, { server: { workers: 2, ...patient }, listener: { transport: 'tcp+udp' } }),
    protocols: [{ name: 'Redis', target: upstream.target }],
  });
  const peers = await Promise.all(Array.from({ length: 30 }, () => client(port)));
  await allAnswer(peers, 'before');
  const first = generations.pid;
  const second = await generations.upgrade();
  await allAnswer(peers, 'after');
  const late = await client(port);
  expect((await late.ask('late', { again: true })).bytes.toString()).toBe('late');
  const session = await dial(port);
  session.send(redisPing);
  await session.bytes(redisPing.length);
  session.finish();
  expect(await session.end()).toBe('fin');
  // No flow holds up the process that has given its sockets away.
  await eventually('the old process to end', () => !isAlive(first));
  expect(generations.living).toEqual([second]);
  await allAnswer(peers, 'alone');
  const { daemon } = generations;
  const ended = daemon.sessions.filter(({ transport, reason }) => transport === 'udp' && reason !== 'done');
  expect(new Set(ended.map(({ reason }) => reason))).toEqual(new Set(['drain_timeout']));
  await daemon.booksBalance();
});

test('with another number of workers, each flow still has one of them', async () => {
  const [port, to] = [await freePort(), await endpoint()];
  const config = (workers: number) => configTo(port, to, { server: { workers, ...patient } });
  const generations = await start(config(2));
  const peers = await Promise.all(Array.from({ length: 30 }, () => client(port)));
  await allAnswer(peers, 'before');
  generations.daemon.configure(config(3));
  const first = generations.pid;
  await generations.upgrade();
  await eventually('the old process to end', () => !isAlive(first));
  for (const text of ['one', 'two']) await allAnswer(peers, text);
});

test('one that is called off costs nothing', async () => {
  const [port, to] = [await freePort(), await endpoint()];
  const generations = await start(configTo(port, to, { server: { workers: 2, ...patient } }));
  const peers = await Promise.all(Array.from({ length: 20 }, () => client(port)));
  await allAnswer(peers, 'before');
  generations.replace('exit 3');
  await generations.refused();
  for (const peer of peers) expect((await peer.ask('after')).bytes.toString()).toBe('after');
  expect(to.senders).toHaveLength(peers.length);
});

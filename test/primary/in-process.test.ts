/** Several built daemons in the test's own process. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { createLogger } from '../../src/base/log.js';
import type { Daemon, DaemonOptions } from '../../src/primary/daemon.js';
import { collectsInto } from '../support/lines.js';
import { freePort } from '../support/ports.js';
import { openFiles } from '../support/proc.js';
import { dial, type Peer } from '../support/tcp.js';
import { eventually } from '../support/wait.js';
import { configOf, host, noSource } from './config.js';

const dist = new URL('../../dist/primary/daemon.js', import.meta.url).href;
const { Daemon: Built } = (await import(dist)) as { Daemon: typeof Daemon };

const never = new AbortController().signal;

/** Log lines of a daemon by message. */
function optionsWithLog() {
  const lines: { msg: string }[] = [];
  const write = collectsInto(lines);
  const log = createLogger({ level: 'info', write });
  const options: DaemonOptions = {
    version: '1.2.3',
    log,
    write,
    linesDropped: () => 0,
    movesPorts: false,
    source: noSource,
  };
  return { options, said: (msg: string) => lines.filter((line) => line.msg === msg).length };
}

async function start() {
  const monitoringPort = await freePort();
  const { options, said } = optionsWithLog();
  const daemon = await Built.open(configOf({ monitoringPort }), options, never);
  await daemon.start();
  const port = Number(daemon.listeners[0]?.address.split(':').at(-1));
  const accepted = async () => {
    const text = await (
      await fetch(`http://${host}:${monitoringPort}/metrics`, { headers: { connection: 'close' } })
    ).text();
    return Number(/^anyport_accepted_total.* (\d+)$/m.exec(text)?.[1]);
  };
  return { daemon, said, accepted, client: () => dial(port) };
}

async function echoes(peer: Peer): Promise<void> {
  const had = peer.length;
  peer.send('hello');
  await peer.bytes(had + 5);
}

test('two daemons share nothing; what one is told is not the other’s, and both give back what they had', async () => {
  const signals = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'];
  const listeners = () => signals.map((signal) => process.listenerCount(signal));
  const [filesBefore, listenersBefore] = [openFiles(process.pid), listeners()];

  const [first, second] = [await start(), await start()];
  const [one, other] = [await first.client(), await second.client()];
  for (const peer of [one, other, await first.client()]) await echoes(peer);
  expect([await first.accepted(), await second.accepted()]).toEqual([2, 1]);
  expect([first.daemon.sessions, second.daemon.sessions]).toEqual([2, 1]);
  expect(listeners()).toEqual(listenersBefore);

  const drained = first.daemon.drain();
  expect(first.daemon.health().status).toBe('draining');
  expect(second.daemon.health().status).toBe('ready');
  await echoes(other);
  expect(await first.daemon.cut()).toBe(false);
  expect(await drained).toBe(false);
  expect(await one.ended).toBe('reset');
  await first.daemon.close();
  expect([first.said('session'), second.said('session')]).toEqual([2, 0]);

  await echoes(other);
  const last = second.daemon.drain();
  other.finish();
  expect(await last).toBe(true);
  await second.daemon.close();
  await eventually('every file to be closed', () => openFiles(process.pid) <= filesBefore);
});

test('sessions of handlers whose threads are terminated are reset, never ended with a FIN', async () => {
  const { daemon, client } = await start();
  const peers = await Promise.all(Array.from({ length: 8 }, client));
  for (const peer of peers) await echoes(peer);
  await daemon.close();
  expect(await Promise.all(peers.map((peer) => peer.end()))).toEqual(peers.map(() => 'reset'));
});

test('a start that fails says why, and leaves nothing behind', async () => {
  const filesBefore = openFiles(process.pid);
  const taken = createServer().listen(0, host);
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const daemon = await Built.open(configOf({ monitoringPort: port }), optionsWithLog().options, never);
  await expect(daemon.start()).rejects.toThrow('EADDRINUSE');
  await daemon.close();
  taken.close();
  await once(taken, 'close');

  const handler = 'builtin:nothing';
  const other = await Built.open(
    configOf({ monitoringPort: await freePort(), handler }),
    optionsWithLog().options,
    never,
  );
  await expect(other.start()).rejects.toThrow(/a worker did not start: .*"nothing"/);
  await other.close();
  await eventually('every file to be closed', () => openFiles(process.pid) <= filesBefore);
});

test('a daemon that is told to drain before it has started has nothing to wait for, and leaves nothing behind', async () => {
  const { options, said } = optionsWithLog();
  const filesBefore = openFiles(process.pid);
  const daemon = await Built.open(configOf({ monitoringPort: await freePort() }), options, never);
  const started = expect(daemon.start()).rejects.toThrow('told to end');
  expect(await daemon.drain()).toBe(true);
  await daemon.close();
  await started;
  expect(said('draining')).toBe(0);
  await eventually('every file to be closed', () => openFiles(process.pid) <= filesBefore);
});

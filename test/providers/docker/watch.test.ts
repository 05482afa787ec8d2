/** The client and the watch against a real server on a Unix socket that answers as the Engine API does. */

import { mkdtempSync, rmSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.js';
import { EngineClient } from '../../../src/providers/docker/client.js';
import { backoffMs, DockerWatch, watchLimits } from '../../../src/providers/docker/watch.js';
import { Engine } from '../../support/engine.js';
import { eventually } from '../../support/wait.js';

const until = (probe: () => boolean) => eventually(String(probe), probe);

const container = (name: string) => ({
  Id: name.padEnd(64, '0'),
  Names: [`/${name}`],
  Labels: { [`anyport.${name}.host`]: `${name}.example` },
  Created: 1,
  State: 'running',
  Ports: [{ PrivatePort: 80, Type: 'tcp' }],
  NetworkSettings: { Networks: { bridge: { IPAddress: '172.17.0.2' } } },
});

let folder: string;
let engine: Engine;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'anyport-docker-'));
  engine = new Engine(join(folder, 'docker.sock'));
  await engine.start();
});

afterEach(async () => {
  await engine.stop();
  rmSync(folder, { recursive: true });
});

const client = (limits = {}) => new EngineClient({ socketPath: engine.socketPath }, limits);

test.each([
  ['1.41', '/v1.41'],
  ['1.99', '/v1.48'],
  ['nonsense', '/v1.24'],
  [null, '/v1.24'],
])('an engine of version %s is asked at %s', async (version, prefix) => {
  engine.version = version;
  await client().containers();
  expect(engine.asked).toEqual(['/_ping', `${prefix}/containers/json`]);
});

test('an engine that is too old is refused', async () => {
  engine.version = '1.12';
  await expect(client().containers()).rejects.toThrow('at least 1.24 is needed');
});

test.each<[string, (response: ServerResponse) => void, RegExp]>([
  [
    'an error',
    (response) => response.writeHead(403).end('{"message":"not allowed"}'),
    /answers 403: not allowed/,
  ],
  [
    'an error that would command a terminal',
    (response) => response.writeHead(500).end('{"message":"\\u001b[2J\\nready"}'),
    /answers 500: \\x1b\[2J\\x0aready$/,
  ],
  ['something else than a list', (response) => response.end('{}'), /is no list/],
  ['something else than JSON', (response) => response.end('<html>'), /is no JSON/],
  ['more than is read', (response) => response.end(`[${'0,'.repeat(2000)}0]`), /longer than 1000 bytes/],
  ['a part', (response) => void response.write('[{"Id"', () => response.destroy()), /aborted|closed|no JSON/],
  ['nothing', () => {}, /no answer within 200 ms|aborted/],
])('an answer that is %s is no list of containers', async (_, listing, why) => {
  engine.listing = listing;
  await expect(client({ listBytesMax: 1000, answerMs: 200 }).containers()).rejects.toThrow(why);
});

function watched(follows = true) {
  const made: string[][] = [];
  const reachable: boolean[] = [];
  const watch = new DockerWatch({
    client: client({ answerMs: 2000 }),
    choice: { network: '', allowLoopback: false },
    follows,
    changed: async ({ contribution }) => {
      made.push(contribution.fragments.map(({ from }) => from));
      return true;
    },
    reachable: (why) => reachable.push(why === null),
    clock: systemClock,
    random: () => 0,
  });
  return { watch, made, reachable, ended: watch.run() };
}

const of = (name: string) => `container ${name}, alias ${name}`;

test('what runs is told, and again when an event says that it has changed', async () => {
  engine.containers = [container('a')];
  const { watch, made, reachable, ended } = watched();
  await until(() => made.length === 1);
  engine.containers = [container('a'), container('b')];
  engine.tell();
  await until(() => made.length === 2);
  engine.containers = [];
  engine.tell();
  await until(() => made.length === 3);
  expect(made).toEqual([[of('a')], [of('a'), of('b')], []]);
  expect(reachable).toEqual([]);
  watch.stop();
  await ended;
});

test('a burst of events is a few lists, and one change', async () => {
  const { watch, made, ended } = watched();
  await until(() => engine.isFollowed && made.length === 1);
  const before = engine.lists;
  engine.containers = [container('a')];
  engine.tell(500);
  await until(() => made.length === 2);
  expect(engine.lists - before).toBeLessThan(5);
  watch.stop();
  await ended;
});

test('an event that is told before the list says so is not lost', async () => {
  const { watch, made, ended } = watched();
  await until(() => engine.isFollowed && made.length === 1);
  const before = engine.lists;
  engine.tell();
  await until(() => engine.lists > before);
  engine.containers = [container('late')];
  await until(() => made.length === 2);
  expect(made[1]).toEqual([of('late')]);
  watch.stop();
  await ended;
});

test('after a stream that ended the containers are listed again, without an event', async () => {
  engine.containers = [container('a')];
  const { watch, made, ended } = watched();
  await until(() => engine.isFollowed && made.length === 1);
  engine.containers = [container('b')];
  engine.endStreams();
  await until(() => made.length === 2);
  expect(made[1]).toEqual([of('b')]);
  watch.stop();
  await ended;
});

test('while the engine is away nothing changes; what has changed meanwhile is told when it is back', async () => {
  engine.containers = [container('a')];
  const { watch, made, reachable, ended } = watched();
  await until(() => engine.isFollowed && made.length === 1);
  await engine.stop();
  await until(() => reachable.length === 1);
  expect(made).toHaveLength(1);
  engine.containers = [container('c')];
  await engine.start();
  await until(() => made.length === 2);
  expect(made[1]).toEqual([of('c')]);
  expect(reachable).toEqual([false, true]);
  watch.stop();
  await ended;
});

test('an engine that fails to list leaves what was made before', async () => {
  engine.containers = [container('a')];
  const { watch, made, reachable, ended } = watched();
  await until(() => engine.isFollowed && made.length === 1);
  engine.listing = (response) => response.writeHead(500).end('{"message":"out of order"}');
  engine.tell();
  await until(() => reachable.length === 1);
  expect(made).toHaveLength(1);
  watch.stop();
  await ended;
});

test.each([
  { why: 'at once is asked more and more seldom', lastsMs: 0, waits: [200, 400, 800, 1600] },
  {
    why: 'after a while is asked again soon',
    lastsMs: watchLimits.backoffMaxMs,
    waits: [200, 200, 200, 200],
  },
])('an engine that lists, and cuts its events $why', async ({ lastsMs, waits: expected }) => {
  const waits: number[] = [];
  let nowMs = 0;
  const clock = {
    nowMs: () => nowMs,
    after(ms: number, callback: () => void) {
      if (ms !== watchLimits.gapMs) waits.push(ms);
      if (waits.length === expected.length) watch.stop();
      const soon = setImmediate(callback);
      return () => clearImmediate(soon);
    },
  };
  const cutting = {
    negotiate: async () => '1.41',
    containers: async () => [],
    async events() {
      nowMs += lastsMs;
      return { ended: Promise.resolve('cut') };
    },
  };
  const parts = { choice: { network: '', allowLoopback: false }, follows: true, clock, random: () => 1 };
  const watch = new DockerWatch({
    ...{ ...parts, client: cutting },
    changed: async () => true,
    reachable: () => {},
  });
  await watch.run();
  expect(waits).toEqual(expected);
});

/** Answers with these bytes, and nothing more. */
function rawEngine(head: string) {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.write(head));
  });
  return new Promise<Server>((ready) => server.listen(engine.socketPath, () => ready(server)));
}

test.each([
  [
    'switches to another protocol',
    '101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: tcp',
    /without an answer/,
  ],
  [
    'fails, and does not end to say why',
    '500 Internal Server Error\r\nContent-Length: 9',
    /no answer within 100 ms/,
  ],
  ['says that it goes on, and does not', '100 Continue', /no answer within 100 ms/],
  ['has a head of a megabyte', `200 OK\r\nX: ${'x'.repeat(1 << 20)}`, /Header overflow/],
])('a connection to an engine that %s ends', async (_, head, why) => {
  await engine.stop();
  const server = await rawEngine(`HTTP/1.1 ${head}\r\n\r\n`);
  await expect(client({ answerMs: 100 }).negotiate()).rejects.toThrow(why);
  await new Promise((closed) => server.close(closed));
});

test('of what an engine says of its version only the head is read', async () => {
  await engine.stop();
  const server = await rawEngine('HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\n\r\n');
  expect(await client().negotiate()).toBe('1.41');
  await new Promise((closed) => server.close(closed));
});

test('without watching the containers are listed once', async () => {
  engine.containers = [container('a')];
  const { made, ended } = watched(false);
  await ended;
  expect(made).toEqual([[of('a')]]);
  expect(engine.isFollowed).toBe(false);
});

test('waits double up to a limit, half of each by chance', () => {
  const { backoffMinMs, backoffMaxMs } = watchLimits;
  expect(backoffMs(1, 1)).toBe(backoffMinMs);
  expect(backoffMs(3, 1)).toBe(4 * backoffMinMs);
  expect(backoffMs(3, 0)).toBe(2 * backoffMinMs);
  expect(backoffMs(1000, 1)).toBe(backoffMaxMs);
});

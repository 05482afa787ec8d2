/** Listeners, the number of workers and the accept mode change under sessions. */

import { once } from 'node:events';
import { existsSync, statSync, unlinkSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Daemon, type LogLine, startDaemon } from '../../support/daemon.js';
import { redisPing } from '../../support/flights.js';
import { startPings } from '../../support/pings.js';
import { freePort } from '../../support/ports.js';
import { listeningPorts } from '../../support/proc.js';
import { accepts } from '../../support/process.js';
import { dial, echo, listenTcp, type Peer, type Upstream } from '../../support/tcp.js';
import { eventually } from '../../support/wait.js';

let daemon: Daemon;
let upstream: Upstream;

beforeEach(async () => {
  upstream = await listenTcp(echo);
});

afterEach(async () => {
  await daemon.stop();
  await upstream.close();
});

interface Listener {
  readonly name?: string;
  readonly address: string;
  readonly mode?: string;
}

const on = (...listeners: Listener[]) => ({
  listeners,
  protocols: [{ name: 'Redis', target: upstream.target }],
});

const at = (port: number, name = 'front'): Listener => ({ name, address: `127.0.0.1:${port}` });

async function ping(client: Peer): Promise<Peer> {
  const before = client.length;
  client.send(redisPing);
  await client.bytes(before + redisPing.length);
  return client;
}

const session = async (port: number) => ping(await dial(port));

/** What the refusal's own lines say. */
const problemOf = (refusal: LogLine) => daemon.lines[daemon.lines.indexOf(refusal) + 1]?.msg;

test('a listener comes, another goes; its sessions stay', async () => {
  const [first, second] = [await freePort(), await freePort()];
  daemon = await startDaemon(on(at(first)));
  const early = await session(first);
  expect(await daemon.reload(on(at(first), at(second, 'back')))).toMatchObject({ listeners: { added: 1 } });
  await session(second);
  expect(await daemon.reload(on(at(second, 'back')))).toMatchObject({ listeners: { removed: 1 } });
  expect(await accepts(first)).toBe(false);
  await ping(early);
  await session(second);
  early.finish();
  await daemon.metricBecomes('anyport_sessions_total', 1, { listener: 'front', reason: 'done' });
  expect(await daemon.metric('anyport_accepted_total', { listener: 'back' })).toBe(2);
});

test('a listener that is renamed keeps its socket: nobody is refused', async () => {
  const [port, other] = [await freePort(), await freePort()];
  daemon = await startDaemon(on(at(port)));
  const pings = startPings({ port });
  for (let n = 0; n < 5; n++) {
    const lines = n % 2 === 0 ? on(at(other, 'other'), at(port, `name${n}`)) : on(at(port, `name${n}`));
    expect(await daemon.reload(lines)).toMatchObject({ msg: 'reloaded' });
  }
  expect(await pings.stop()).toEqual([]);
  expect(pings.answered).toBeGreaterThan(5);
  await daemon.booksBalance();
});

test('an address becomes narrower and wider on the same port', async () => {
  const port = await freePort();
  const [narrow, wide] = [on(at(port)), on({ name: 'front', address: `:${port}` })];
  daemon = await startDaemon(wide);
  const early = await session(port);
  const second = (host: string) =>
    new Promise<boolean>((resolve) => {
      const socket = connect({ port, host });
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
  expect(await second('127.0.0.2')).toBe(true);
  expect(await daemon.reload(narrow)).toMatchObject({ msg: 'reloaded' });
  expect([await second('127.0.0.1'), await second('127.0.0.2')]).toEqual([true, false]);
  expect(await daemon.reload(wide)).toMatchObject({ msg: 'reloaded' });
  expect([await second('127.0.0.1'), await second('127.0.0.2')]).toEqual([true, true]);
  await ping(early);
});

test('an address in use is refused by the name of its listener, and nothing else is opened', async () => {
  const [port, free] = [await freePort(), await freePort()];
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port: busy } = taken.address() as { port: number };
  daemon = await startDaemon(on(at(port)));
  const before = listeningPorts(daemon.pid);
  const refusal = await daemon.reload(on(at(free, 'free'), at(busy, 'busy')));
  expect(refusal).toMatchObject({ level: 'error', problems: 1 });
  expect(problemOf(refusal)).toContain(
    `listener busy can not listen on 127.0.0.1:${busy}: the address is in use`,
  );
  expect(listeningPorts(daemon.pid)).toEqual(before);
  await session(port);
  await once(taken.close(), 'close');
});

test('a port that the system chose stays', async () => {
  daemon = await startDaemon(on(at(0)));
  const { listeners } = daemon.lines.find(({ msg }) => msg === 'ready') as unknown as {
    listeners: { address: string }[];
  };
  const port = Number(listeners[0]?.address.split(':').at(-1));
  await daemon.reload(on(at(0), at(0, 'second')));
  await session(port);
  await daemon.reload(on(at(0, 'renamed')));
  await session(port);
});

describe('a unix socket', () => {
  const unix = (path: string, mode?: string): Listener => ({
    name: 'local',
    address: `unix:${path}`,
    ...(mode !== undefined && { mode }),
  });
  const permissions = (path: string) => (statSync(path).mode & 0o777).toString(8);
  const answers = async (path: string) => {
    const pings = startPings({ path }, 1);
    await eventually('an answer', () => pings.answered > 0);
    expect(await pings.stop()).toEqual([]);
  };

  test('comes with its mode, changes it, moves to another listener, and its file goes with it', async () => {
    const port = await freePort();
    daemon = await startDaemon(on(at(port)));
    const path = `${daemon.folder.path}/a.sock`;
    await daemon.reload(on(at(port), unix(path)));
    expect(permissions(path)).toBe('660');
    await answers(path);
    await daemon.reload(on(unix(path, '0600'), at(port)));
    expect(permissions(path)).toBe('600');
    const pings = startPings({ path });
    await daemon.reload(on({ ...unix(path, '0600'), name: 'renamed' }));
    expect(await pings.stop()).toEqual([]);
    await daemon.reload(on(at(port)));
    expect(existsSync(path)).toBe(false);
  });

  test('is there again when its file was removed by somebody', async () => {
    const port = await freePort();
    daemon = await startDaemon(on(at(port)));
    const path = `${daemon.folder.path}/a.sock`;
    await daemon.reload(on(at(port), unix(path)));
    unlinkSync(path);
    await daemon.reload(on(unix(path)));
    await answers(path);
  });
});

const workers = (count: number, accept = 'reuseport') => ({ server: { workers: count, accept } });

test('the number of workers grows and shrinks, the accept mode changes: nobody is refused or cut off', async () => {
  const port = await freePort();
  daemon = await startDaemon({ ...on(at(port)), ...workers(1) });
  const early = await session(port);
  const pings = startPings({ port });
  for (const next of [
    workers(3),
    workers(2),
    workers(2, 'handoff'),
    workers(3, 'handoff'),
    workers(1, 'handoff'),
    workers(2),
  ]) {
    expect(await daemon.reload({ ...on(at(port)), ...next })).toMatchObject({ msg: 'reloaded' });
    await daemon.metricBecomes('anyport_workers', next.server.workers);
    const before = pings.answered;
    await eventually('answers', () => pings.answered > before + 50);
    await ping(early);
  }
  expect(await pings.stop()).toEqual([]);
  early.finish();
  await daemon.booksBalance();
});

test('monitoring moves: to another port, and to one address of the same port', async () => {
  const port = await freePort();
  daemon = await startDaemon(on(at(port)));
  const other = await freePort();
  const monitoring = (address: string) => ({
    ...on(at(port)),
    monitoring: { metrics_port: other, health_check_port: other, address },
  });
  const status = (host: string, at: number) =>
    fetch(`http://${host}:${at}/health/ready`, { headers: { connection: 'close' } }).then(
      (answer) => answer.status,
      () => null,
    );
  await daemon.reload(monitoring('0.0.0.0'));
  expect([await status('127.0.0.2', other), await status('127.0.0.1', daemon.metricsPort)]).toEqual([
    200,
    null,
  ]);
  await daemon.reload(monitoring('127.0.0.1'));
  expect([await status('127.0.0.1', other), await status('127.0.0.2', other)]).toEqual([200, null]);
});

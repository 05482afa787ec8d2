/** Workers, listeners and the accept mode of a data plane with real threads change while sessions go on. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { publicationLimits } from '../../src/plane/publication.js';
import { RETIRE_MS } from '../../src/primary/listening.js';
import { echo, listenTcp, type Peer, type Upstream } from '../support/tcp.js';
import { type TempFolder, tempFolder } from '../support/temp.js';
import { eventually } from '../support/wait.js';
import { upstream } from '../worker/plane.js';
import { echoes, Load, Stage, type Wanted } from './stage.js';

let back: Upstream;
let folder: TempFolder;
let stage: Stage;
let load: Load | undefined;

beforeEach(async () => {
  back = await listenTcp(echo);
  folder = tempFolder();
});

afterEach(async () => {
  await load?.stop();
  load = undefined;
  await stage.close();
  await back.close();
  folder.remove();
});

async function open(change: Partial<Wanted> = {}): Promise<void> {
  stage = await Stage.open({
    listeners: ['front'],
    workers: 2,
    accept: 'reuseport',
    upstream: upstream('a', back.port),
    logLevel: 'info',
    accessLog: { enabled: true, rate: 100_000 },
    ...change,
  });
}

const committed = { result: 'committed' };
const restless = new URL('../primary/restless-handler.mjs', import.meta.url).href;

async function allEcho(peers: readonly Peer[], text: string): Promise<void> {
  for (const peer of peers) await echoes(peer, text);
}

/** Numbers of the workers that have written lines of sessions since `from`. */
const workersSince = (from: number) =>
  new Set(stage.lines.slice(from).flatMap(({ msg, worker }) => (msg === 'session' ? [worker] : [])));

/** Ends sessions and waits for their lines. */
async function finished(peers: readonly Peer[]): Promise<void> {
  const before = stage.linesOf('session').length;
  for (const peer of peers) peer.finish();
  await eventually('their lines', () => stage.linesOf('session').length === before + peers.length);
}

describe.each(['reuseport', 'handoff'] as const)('accept: %s', (accept) => {
  test('more workers: each has its share of what comes, and no session notices', async () => {
    await open({ workers: 1, accept });
    const old = await stage.clients(3);
    await allEcho(old, 'aa');
    expect(await stage.change({ workers: 3 })).toEqual(committed);
    expect(stage.plane.accepting).toBe(3);
    await allEcho(old, 'still');
    const from = stage.lines.length;
    const peers = await stage.clients(64);
    await allEcho(peers, 'aa');
    await finished(peers);
    expect(workersSince(from)).toEqual(new Set([0, 1, 2]));
  });

  test('fewer workers: those that leave keep their sessions, and nobody new comes to them', async () => {
    await open({ workers: 3, accept });
    const old = await stage.clients(64);
    await allEcho(old, 'aa');
    expect(await stage.change({ workers: 1 })).toEqual(committed);
    expect([stage.plane.accepting, stage.plane.beating]).toEqual([1, 3]);
    const from = stage.lines.length;
    const peers = await stage.clients(32);
    await allEcho(peers, 'aa');
    await finished(peers);
    expect(workersSince(from)).toEqual(new Set([0]));
    await allEcho(old, 'still');
    await finished(old);
    await eventually('the end of those that left', () => stage.plane.beating === 1);
    expect(stage.metric('anyport_accepted_total')).toBe(96);
    expect(stage.metric('anyport_sessions_total', { reason: 'done' })).toBe(96);
    // Their numbers, counters and sockets come again.
    expect(await stage.change({ workers: 2 })).toEqual(committed);
    expect([stage.plane.accepting, stage.plane.buffers.length]).toEqual([2, 3]);
    await allEcho(await stage.clients(16), 'aa');
    expect(stage.plane.restarts).toBe(0);
  });

  test('workers and listeners go up and down under short sessions, none of which fails', async () => {
    await open({ workers: 2, accept });
    load = new Load(stage);
    for (const workers of [3, 1, 2]) {
      expect(await stage.change({ workers, listeners: ['front', `beside-${workers}`] })).toEqual(committed);
    }
    await sleep(RETIRE_MS + 500); // the sockets that are too many go
    await load.stop();
    expect(load.failed).toEqual([]);
    expect(load.served).toBeGreaterThan(0);
    const ended = stage.metric('anyport_sessions_total', { listener: 'front' });
    expect(stage.metric('anyport_accepted_total', { listener: 'front' })).toBe(ended);
  });

  test('a listener that comes accepts, one that goes does not, and its sessions go on', async () => {
    await open({ accept, listeners: ['front', 'side'] });
    const old = await stage.clients(8, 'side');
    await allEcho(old, 'aa');
    expect(await stage.change({ listeners: ['new', 'front'] })).toEqual(committed);
    await allEcho(old, 'still');
    await expect(stage.client('side')).rejects.toThrow('ECONNREFUSED');
    for (const listener of ['new', 'front']) await allEcho(await stage.clients(8, listener), 'aa');
    const accepted = (listener: string) => stage.metric('anyport_accepted_total', { listener });
    expect([accepted('front'), accepted('side'), accepted('new')]).toEqual([8, 8, 8]);
  });

  test('a worker that dies comes back with the sockets in force', async () => {
    await open({ accept, workers: 1, upstream: { ...upstream('a'), handler: restless } });
    expect(await stage.change({ listeners: ['new'] })).toEqual(committed);
    (await stage.client()).send('aa die');
    await eventually('its replacement', () => stage.plane.restarts === 1 && stage.plane.accepting === 1);
    await allEcho(await stage.clients(4), 'aa');
    await expect(stage.client('front')).rejects.toThrow('ECONNREFUSED');
  });
});

test('the accept mode changes under short sessions, none of which fails', async () => {
  await open();
  const old = await stage.clients(8);
  await allEcho(old, 'aa');
  load = new Load(stage);
  for (const accept of ['handoff', 'reuseport', 'handoff'] as const) {
    expect(await stage.change({ accept, workers: accept === 'handoff' ? 3 : 2 })).toEqual(committed);
    const before = load.served;
    await eventually('sessions', () => (load?.served ?? 0) > before + 20);
  }
  await load.stop();
  expect(load.failed).toEqual([]);
  await allEcho(old, 'still');
});

test('a further worker that does not start: the change is refused, and the others of it end', async () => {
  const counting = `
    import { mkdirSync } from 'node:fs';
    for (let n = 0; ; n++) {
      try { mkdirSync(${JSON.stringify(folder.path)} + '/' + n); } catch { continue; }
      if (n === 3) throw new Error('not a fourth time');
      break;
    }
    export default (socket) => socket.pipe(socket);`;
  const handler = `data:text/javascript,${encodeURIComponent(counting)}`;
  await open({ workers: 2, upstream: { ...upstream('a'), handler } });
  const published = await stage.change({ workers: 4, listeners: ['new'] });
  expect(published).toMatchObject({ result: 'refused', error: expect.stringContaining('not a fourth time') });
  expect(stage.plane.plan.generation).toBe(1);
  await eventually('the end of the third', () => stage.plane.beating === 2);
  expect([stage.plane.accepting, stage.plane.restarts]).toEqual([2, 0]);
  await allEcho(await stage.clients(8, 'front'), 'aa');
});

test('a worker that dies while it leaves is not replaced, and its sessions count as reset', async () => {
  await open({ workers: 2, upstream: { ...upstream('a'), handler: restless } });
  const peers = await stage.clients(32);
  await allEcho(peers, 'aa');
  expect(await stage.change({ workers: 1, upstream: upstream('a', back.port) })).toEqual(committed);
  const leaving = stage.metric('anyport_sessions_active');
  expect(leaving).toBe(32);
  const from = stage.lines.length;
  for (const peer of peers) peer.send('who');
  await eventually('echoes', () => peers.every(({ length }) => length >= 5));
  // Some of them are in the worker that left: tell one after the other to bring its worker down.
  const deaths = () => stage.lines.slice(from).filter(({ msg }) => msg === 'a worker died');
  for (const peer of peers) {
    if (deaths().length > 0) break;
    if (peer.ending === undefined) peer.send('die');
    await eventually('a death', () => deaths().length > 0 || stage.plane.restarts > 0);
  }
  await eventually('a death of the one that left', () => deaths().length === 1);
  expect(deaths()[0]).toMatchObject({ worker: 1 });
  expect(stage.plane.beating).toBe(1);
  const reset = stage.metric('anyport_sessions_total', { reason: 'reset' });
  expect(reset).toBeGreaterThan(0);
  expect(stage.metric('anyport_sessions_active')).toBe(32 - reset);
  await allEcho(await stage.clients(4), 'aa');
});

test('a handler that crashes its workers in a loop is cured by a change that removes it', async () => {
  await open({ workers: 2, upstream: { ...upstream('a'), handler: restless } });
  let crashing = true as boolean;
  const crash = async () => {
    while (crashing) {
      const peer = await stage.client();
      peer.send('aa die');
      await peer.ended;
    }
  };
  const lanes = [crash(), crash(), crash(), crash()];
  await eventually('both to crash more than once', () => stage.plane.restarts >= 4);
  const published = await stage.change({ upstream: upstream('a', back.port) });
  expect(published).toEqual(committed);
  crashing = false;
  for (const peer of back.peers) peer.socket.destroy();
  await Promise.all(lanes);
  await eventually('both', () => stage.plane.accepting === 2);
  await allEcho(await stage.clients(16), 'aa');
});

test('a worker that hangs holds up a change for a moment only', async () => {
  await open({ workers: 2, upstream: { ...upstream('a'), handler: restless } });
  (await stage.client()).send('aa hang');
  await eventually('it to hang', () => stage.plane.accepting === 1);
  // Earlier than a worker that has begun to prepare would be given up.
  const late = sleep((publicationLimits.looksMax - 1) * publicationLimits.lookMs, 'late');
  const published = stage.change({ upstream: upstream('a', back.port) });
  expect(await Promise.race([published, late])).toEqual(committed);
  expect(stage.plane.plan.generation).toBe(2);
});

test('a daemon that drains takes no further workers', async () => {
  await open({ workers: 1 });
  const old = await stage.clients(1);
  await allEcho(old, 'aa');
  const drained = stage.plane.drain(30_000);
  expect(await stage.change({ workers: 2 })).toEqual({ result: 'called_off' });
  expect(stage.plane.beating).toBe(1);
  await finished(old);
  expect(await drained).toBe(true);
});

describe('the log', () => {
  test('level and access log follow the Plan in force, in each worker', async () => {
    await open({ workers: 2, accessLog: { enabled: false, rate: 100_000 } });
    const seen = async (count: number) => {
      const from = stage.lines.length;
      const peers = await stage.clients(count);
      await allEcho(peers, 'aa');
      for (const peer of peers) peer.finish();
      await Promise.all(peers.map((peer) => peer.end()));
      await eventually('their ends', () => stage.metric('anyport_sessions_active') === 0);
      await sleep(200); // longer than lines are batched
      return stage.lines.slice(from).map(({ msg }) => msg);
    };
    expect(await seen(8)).toEqual([]);
    expect(await stage.change({ accessLog: { enabled: true, rate: 100_000 } })).toEqual(committed);
    expect(await seen(8)).toEqual(Array(8).fill('session'));
    expect(await stage.change({ logLevel: 'debug' })).toEqual(committed);
    expect(await seen(8)).toContain('stage');
    expect(await stage.change({ logLevel: 'warn' })).toEqual(committed);
    expect(await seen(8)).toEqual([]);
    expect(await stage.change({ logLevel: 'info', accessLog: { enabled: true, rate: 4 } })).toEqual(
      committed,
    );
    expect((await seen(64)).length).toBeLessThan(32);
  });

  test('the rate is for all workers together, however many there are', async () => {
    await open({ workers: 1, accessLog: { enabled: true, rate: 8 } });
    expect(await stage.change({ workers: 2 })).toEqual(committed);
    const peers = await stage.clients(128);
    await allEcho(peers, 'aa');
    for (const peer of peers) peer.finish();
    await eventually('their ends', () => stage.metric('anyport_sessions_active') === 0);
    await eventually('lines', () => stage.linesOf('session').length > 0);
    const dropped = stage.metric('anyport_log_lines_dropped_total');
    expect(dropped).toBeGreaterThan(64);
  });
});

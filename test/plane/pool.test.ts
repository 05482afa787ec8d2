import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import type { FromWorker, ToWorker, WorkerSetup } from '../../src/model/message.js';
import { WorkerPool } from '../../src/plane/pool.js';
import { eventually } from '../support/wait.js';

const filename = fileURLToPath(new URL('./pool-worker.mjs', import.meta.url));

const pools: WorkerPool[] = [];
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.terminate()));
});

const beats = new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT);

function createPool(module = filename): WorkerPool {
  const pool = new WorkerPool(module, (worker) => ({ worker, beats }) as Omit<WorkerSetup, 'port'>);
  pools.push(pool);
  return pool;
}

/** Runs a worker until it reports ready. */
async function start(pool: WorkerPool, worker: number) {
  const heard: FromWorker[] = [];
  let isReady: () => void = () => {};
  const ready = new Promise<void>((resolve) => {
    isReady = resolve;
  });
  const ended = pool.run(worker, (message) => {
    heard.push(message);
    if (message.type === 'ready') isReady();
  });
  ended.catch(() => {});
  await ready;
  return { heard, ended };
}

const beatsOf = (worker: number) => Atomics.load(new Int32Array(beats), worker);

const tell = (pool: WorkerPool, worker: number, type: string) =>
  pool.post(worker, { type } as unknown as ToWorker);

describe('worker pool', () => {
  test('every line that a worker wrote is heard before it is said to have ended', async () => {
    const pool = createPool();
    const [first, second] = [await start(pool, 0), await start(pool, 1)];
    tell(pool, 1, 'end');
    await second.ended;
    const lines = second.heard.flatMap((message) =>
      message.type === 'log' ? [Buffer.from(message.lines).toString()] : [],
    );
    expect(lines).toEqual(Array.from({ length: 1000 }, (_, i) => `1 ${i}\n`));
    expect(first.heard).toEqual([{ type: 'ready' }]);
  });

  const deaths = [
    { why: 'an uncaught exception', act: 'throw', message: /uncaught/ },
    { why: 'a rejected task', act: 'reject', message: /rejected/ },
    { why: 'an exit', act: 'exit', message: /exited with code: 3/ },
  ];
  test.each(deaths)('a worker dies alone, and can be run again: $why', async ({ act, message }) => {
    const pool = createPool();
    const other = await start(pool, 1);
    for (let life = 0; life < 2; life++) {
      const { ended } = await start(pool, 0);
      await eventually('it to count', () => beatsOf(0) > 0);
      tell(pool, 0, act);
      await expect(ended).rejects.toThrow(message);
      const [dead, alive] = [beatsOf(0), beatsOf(1)];
      await eventually('the other one to count on', () => beatsOf(1) > alive + 10);
      expect(beatsOf(0)).toBe(dead);
    }
    tell(pool, 1, 'end');
    await other.ended;
  });

  test('a module that can not be loaded is an error that says so, each time', async () => {
    const pool = createPool(`${filename}.missing`);
    for (let attempt = 0; attempt < 2; attempt++) {
      await expect(pool.run(0, () => {})).rejects.toThrow('pool-worker.mjs.missing');
    }
  });

  test('a worker that does not answer can be ended', async () => {
    const pool = createPool();
    const { ended } = await start(pool, 0);
    tell(pool, 0, 'hang');
    await pool.terminate();
    await expect(ended).rejects.toThrow();
  });

  test('a worker is not ended before it has loaded', async () => {
    const pool = createPool();
    const heard: FromWorker[] = [];
    const ended = pool.run(0, (message) => heard.push(message));
    ended.catch(() => {});
    await pool.terminate();
    expect(heard).toEqual([{ type: 'ready' }]);
  });

  test('what is told to a worker that does not run is not kept for the next', async () => {
    const pool = createPool();
    tell(pool, 0, 'exit');
    const { ended } = await start(pool, 0);
    tell(pool, 0, 'end');
    await ended;
  });
});

import { describe, expect, test } from 'vitest';
import type { FromWorker, ToWorker } from '../../src/model/message.js';
import { backoffLimits } from '../../src/plane/backoff.js';
import { Heartbeats, heartbeatLimits } from '../../src/plane/heartbeats.js';
import { Supervisor, type WorkerRunner } from '../../src/plane/supervisor.js';
import { FakeClock, settled } from '../base/fake-clock.js';

const both = [0, 1];

interface Life {
  readonly worker: number;
  say(message: FromWorker): void;
  end(): void;
  die(why: string): void;
}

/** Workers that do what the test says. */
class Puppets implements WorkerRunner {
  readonly lives: Life[] = [];
  readonly posted: string[] = [];

  run(worker: number, say: (message: FromWorker) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.lives.push({ worker, say, end: resolve, die: (why) => reject(new Error(why)) });
    });
  }

  post(worker: number, message: ToWorker): void {
    this.posted.push(`${worker} ${message.type}`);
  }

  kill(worker: number): void {
    this.posted.push(`${worker} kill`);
    this.of(worker).die('killed');
  }

  /** The latest life of a worker. */
  of(worker: number): Life {
    return this.lives.findLast((life) => life.worker === worker) as Life;
  }
}

function supervise(workers: number) {
  const puppets = new Puppets();
  const clock = new FakeClock();
  const log: string[] = [];
  const heard: string[] = [];
  const events = {
    heard: (worker: number, { type }: FromWorker) => heard.push(`${worker} ${type}`),
    hung: (worker: number) => log.push(`${worker} hung`),
    died: (worker: number, error: Error, retryMs: number | null) =>
      log.push(`${worker} ${error.message} ${retryMs}`),
    left: (worker: number) => log.push(`${worker} left`),
  };
  const heartbeats = new Heartbeats(8);
  const beats = new Int32Array(heartbeats.memory);
  const beat = (worker: number) => Atomics.add(beats, worker, 1);
  const supervisor = new Supervisor(puppets, events, clock, heartbeats);
  const all = Array.from({ length: workers }, (_, worker) => worker);
  return { puppets, clock, log, heard, beat, supervisor, start: () => supervisor.start(all) };
}

async function running(workers: number) {
  const all = supervise(workers);
  const started = all.start();
  for (let worker = 0; worker < workers; worker++)
    all.puppets.of(worker).say({ type: 'ready', generation: 1 });
  await started;
  return all;
}

/** Whether a promise has settled by now. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  void promise.then(() => {
    done = true;
  });
  await settled();
  return done;
}

describe('start', () => {
  test('is over when every worker accepts', async () => {
    const { puppets, supervisor, start } = supervise(2);
    const started = start();
    puppets.of(1).say({ type: 'ready', generation: 1 });
    expect(await isSettled(started)).toBe(false);
    expect(supervisor.accepting(both)).toBe(1);
    puppets.of(0).say({ type: 'ready', generation: 1 });
    await started;
    expect(supervisor.accepting(both)).toBe(2);
  });

  test('fails with the first worker that dies before it accepts, and nothing is tried again', async () => {
    const { puppets, clock, log, start } = supervise(2);
    const started = start();
    puppets.of(1).die('no such handler');
    await expect(started).rejects.toThrow('no such handler');
    await clock.pass(60_000);
    expect(puppets.lives).toHaveLength(2);
    expect(log).toEqual(['1 no such handler null']);
  });
});

describe('a worker that dies', () => {
  test('is replaced after a pause; the others go on', async () => {
    const { puppets, clock, log, supervisor } = await running(2);
    puppets.of(0).die('boom');
    await settled();
    expect(supervisor.accepting(both)).toBe(1);
    expect(log).toEqual([`0 boom ${backoffLimits.pauseMsMin}`]);
    await clock.pass(backoffLimits.pauseMsMin);
    expect(supervisor.restarts).toBe(1);
    puppets.of(0).say({ type: 'ready', generation: 1 });
    expect(supervisor.accepting(both)).toBe(2);
    expect(puppets.lives.map(({ worker }) => worker)).toEqual([0, 1, 0]);
  });

  test('again and again is replaced ever more slowly, up to a limit', async () => {
    const { puppets, clock, log } = await running(1);
    for (let death = 0; death < 10; death++) {
      puppets.of(0).die('x');
      await settled();
      await clock.pass(backoffLimits.pauseMsMax);
    }
    const pauses = log.map((line) => Number(line.split(' ')[2]));
    expect(pauses.slice(0, 4)).toEqual([50, 100, 200, 400]);
    expect(pauses.at(-1)).toBe(backoffLimits.pauseMsMax);
  });

  test('after a long life is replaced at once again', async () => {
    const { puppets, clock, log } = await running(1);
    for (const livedMs of [0, 0, backoffLimits.livedMs]) {
      await clock.pass(livedMs);
      puppets.of(0).die('x');
      await settled();
      await clock.pass(200);
    }
    expect(log).toEqual(['0 x 50', '0 x 100', '0 x 50']);
  });

  test('includes one that ends without being told to', async () => {
    const { puppets, clock, log } = await running(1);
    puppets.of(0).end();
    await settled();
    expect(log).toEqual(['0 it ended without being told to 50']);
    await clock.pass(50);
    expect(puppets.lives).toHaveLength(2);
  });
});

describe('a worker that stands still', () => {
  const { lookMs, silentLooksMax, hungLooksMax } = heartbeatLimits;

  /** Time in which all workers but one beat. */
  async function passWithout(still: number, looks: number, { clock, beat }: ReturnType<typeof supervise>) {
    for (let look = 0; look < looks; look++) {
      for (const worker of [0, 1].filter((each) => each !== still)) beat(worker);
      await clock.pass(lookMs);
    }
  }

  test('does not count as accepting, then is ended, counted and replaced; the others go on', async () => {
    const all = await running(2);
    const { puppets, clock, log, beat, supervisor } = all;
    for (const worker of [0, 1]) beat(worker);
    await clock.pass(lookMs);
    await passWithout(1, silentLooksMax - 1, all);
    expect(supervisor.accepting(both)).toBe(2);
    await passWithout(1, 1, all);
    expect(supervisor.accepting(both)).toBe(1);
    await passWithout(1, hungLooksMax - silentLooksMax, all);
    await settled();
    expect(puppets.posted).toEqual(['1 kill']);
    expect(log).toEqual(['1 hung', expect.stringMatching(/^1 it hung.* 50$/)]);
    expect(supervisor.hangs).toBe(1);
    await clock.pass(backoffLimits.pauseMsMin);
    puppets.of(1).say({ type: 'ready', generation: 1 });
    expect({ accepting: supervisor.accepting(both), restarts: supervisor.restarts }).toEqual({
      accepting: 2,
      restarts: 1,
    });
  });

  test('for a moment only is counted again, and not ended', async () => {
    const all = await running(2);
    for (let round = 0; round < 5; round++) {
      for (const worker of [0, 1]) all.beat(worker);
      await passWithout(1, hungLooksMax - 1, all);
      all.beat(1);
      await all.clock.pass(lookMs);
      expect(all.supervisor.accepting(both)).toBe(2);
    }
    expect(all.puppets.posted).toEqual([]);
  });

  test('is not judged by time that passes for the primary too', async () => {
    const { puppets, clock, beat, supervisor } = await running(1);
    for (let look = 0; look < 2 * hungLooksMax; look++) {
      beat(0);
      clock.jump(3_600_000); // the process was stopped, the machine asleep
      await clock.pass(lookMs);
    }
    expect(puppets.posted).toEqual([]);
    expect(supervisor.accepting(both)).toBe(1);
  });

  test('is not judged before it has loaded; while the daemon starts its hang is the failure of the start', async () => {
    const { puppets, clock, beat, start } = supervise(1);
    const started = start();
    await clock.pass(10 * hungLooksMax * lookMs);
    expect(puppets.posted).toEqual([]);
    beat(0);
    await Promise.all([expect(started).rejects.toThrow('it hung'), clock.pass((1 + hungLooksMax) * lookMs)]);
  });

  test('does not hold up a drain', async () => {
    const all = await running(2);
    for (const worker of [0, 1]) all.beat(worker);
    const { acceptingStopped, ended } = all.supervisor.drain(3_600_000);
    all.puppets.of(0).say({ type: 'accepting_stopped' });
    all.puppets.of(0).end();
    await passWithout(1, 1 + hungLooksMax, all);
    await Promise.all([acceptingStopped, ended]);
  });
});

describe('drain', () => {
  test('first nobody accepts, then nobody is left', async () => {
    const { puppets, supervisor } = await running(2);
    const { acceptingStopped, ended } = supervisor.drain(1000);
    expect(puppets.posted).toEqual(['0 drain', '1 drain']);
    puppets.of(0).say({ type: 'accepting_stopped' });
    expect(await isSettled(acceptingStopped)).toBe(false);
    puppets.of(1).say({ type: 'accepting_stopped' });
    expect(await isSettled(acceptingStopped)).toBe(true);
    puppets.of(0).end();
    expect(await isSettled(ended)).toBe(false);
    puppets.of(1).end();
    expect(await isSettled(ended)).toBe(true);
  });

  test('does not wait for a worker that is down, and does not start it again', async () => {
    const { puppets, clock, supervisor } = await running(2);
    puppets.of(0).die('boom');
    await settled();
    const { acceptingStopped, ended } = supervisor.drain(1000);
    puppets.of(1).say({ type: 'accepting_stopped' });
    await acceptingStopped;
    puppets.of(1).die('boom');
    await ended;
    await clock.pass(60_000);
    expect(puppets.lives).toHaveLength(2);
  });

  test('reaches a worker that is just being replaced', async () => {
    const { puppets, clock, supervisor } = await running(1);
    puppets.of(0).die('boom');
    await settled();
    await clock.pass(50);
    const { acceptingStopped, ended } = supervisor.drain(1000);
    expect(await isSettled(acceptingStopped)).toBe(false);
    puppets.of(0).say({ type: 'ready', generation: 1 });
    puppets.of(0).say({ type: 'accepting_stopped' });
    puppets.of(0).end();
    await Promise.all([acceptingStopped, ended]);
  });
});

describe('workers that are added', () => {
  test('are there when all of them accept, and are replaced like the others from then on', async () => {
    const { puppets, log, supervisor } = await running(1);
    const grown = supervisor.grow([1, 2]);
    puppets.of(1).say({ type: 'ready', generation: 1 });
    expect(await isSettled(grown)).toBe(false);
    puppets.of(2).say({ type: 'ready', generation: 1 });
    await grown;
    puppets.of(2).die('boom');
    await settled();
    expect(log).toEqual(['2 boom 50']);
  });

  test('and die before they accept are not replaced', async () => {
    const { puppets, clock, log, supervisor } = await running(1);
    const grown = supervisor.grow([1, 2]);
    puppets.of(1).say({ type: 'ready', generation: 1 });
    puppets.of(2).die('no memory');
    await expect(grown).rejects.toThrow('no memory');
    const left = supervisor.leave([1, 2]);
    puppets.of(1).say({ type: 'accepting_stopped' });
    await left;
    puppets.of(1).end();
    await clock.pass(60_000);
    expect(log).toEqual(['2 no memory null', '2 left', '1 left']);
    expect(puppets.lives).toHaveLength(3);
  });

  test('when the daemon ends are waited for no more', async () => {
    const { supervisor } = await running(1);
    const grown = supervisor.grow([1]);
    supervisor.abandon();
    await expect(grown).rejects.toThrow('told to end');
  });
});

describe('a worker that leaves', () => {
  test('finishes its sessions, for as long as they take, and is not replaced', async () => {
    const { puppets, clock, log, supervisor } = await running(2);
    const left = supervisor.leave([1]);
    expect(puppets.posted).toEqual(['1 drain']);
    expect(await isSettled(left)).toBe(false);
    puppets.of(1).say({ type: 'accepting_stopped' });
    await left;
    await clock.pass(60_000);
    expect(log).toEqual([]);
    puppets.of(1).end();
    await settled();
    expect(log).toEqual(['1 left']);
  });

  test.each(['while it accepts', 'when it does not'])('and dies is not replaced: %s', async (when) => {
    const { puppets, clock, log, supervisor } = await running(2);
    const left = supervisor.leave([1]);
    if (when === 'when it does not') puppets.of(1).say({ type: 'accepting_stopped' });
    puppets.of(1).die('boom');
    await left;
    await clock.pass(60_000);
    expect(log).toEqual(['1 boom null', '1 left']);
    expect(puppets.lives).toHaveLength(2);
  });

  test('while it is down does not come back', async () => {
    const { puppets, clock, log, supervisor } = await running(2);
    puppets.of(1).die('boom');
    await settled();
    await supervisor.leave([1]);
    await clock.pass(60_000);
    expect(log).toEqual(['1 boom 50', '1 left']);
    expect(puppets.lives).toHaveLength(2);
  });

  test('is part of a drain, with its deadline', async () => {
    const { puppets, supervisor } = await running(2);
    void supervisor.leave([1]);
    const { acceptingStopped, ended } = supervisor.drain(1000);
    expect(puppets.posted).toEqual(['1 drain', '0 drain', '1 drain']);
    for (const worker of both) puppets.of(worker).say({ type: 'accepting_stopped' });
    await acceptingStopped;
    puppets.of(0).end();
    expect(await isSettled(ended)).toBe(false);
    puppets.of(1).end();
    expect(await isSettled(ended)).toBe(true);
  });

  test('and its number may come again', async () => {
    const { puppets, log, supervisor } = await running(2);
    void supervisor.leave([1]);
    puppets.of(1).end();
    await settled();
    const grown = supervisor.grow([1]);
    puppets.of(1).say({ type: 'ready', generation: 1 });
    await grown;
    expect(supervisor.accepting(both)).toBe(2);
    puppets.of(1).die('boom');
    await settled();
    expect(log).toEqual(['1 left', '1 boom 50']);
  });
});

test('workers that are abandoned die unseen', async () => {
  const { puppets, clock, log, supervisor } = await running(2);
  puppets.of(0).die('boom');
  await settled();
  supervisor.abandon();
  puppets.of(1).die('terminated');
  await clock.pass(60_000);
  expect(puppets.lives).toHaveLength(2);
  expect(log).toEqual(['0 boom 50']);
});

test('a start that is abandoned fails, and so does one after that', async () => {
  const { puppets, supervisor, start } = supervise(2);
  const started = start();
  supervisor.abandon();
  for (const worker of [0, 1]) puppets.of(worker).say({ type: 'ready', generation: 1 });
  await expect(started).rejects.toThrow('told to end');
  await expect(start()).rejects.toThrow('told to end');
  expect(puppets.lives).toHaveLength(2);
});

test('what workers say is passed on', async () => {
  const { puppets, heard } = await running(2);
  puppets.of(1).say({ type: 'log', lines: Buffer.from('{}\n') });
  puppets.of(0).say({ type: 'prepared', generation: 2 });
  expect(heard).toEqual(['0 ready', '1 ready', '1 log', '0 prepared']);
});

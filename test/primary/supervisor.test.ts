import { describe, expect, test } from 'vitest';
import type { FromWorker, ToWorker } from '../../src/model/message.js';
import { Supervisor, supervisorLimits, type WorkerRunner } from '../../src/primary/supervisor.js';
import { FakeClock, settled } from '../base/fake-clock.js';

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

  /** The latest life of a worker. */
  of(worker: number): Life {
    return this.lives.findLast((life) => life.worker === worker) as Life;
  }
}

function supervise(workers: number) {
  const puppets = new Puppets();
  const clock = new FakeClock();
  const log: string[] = [];
  const events = {
    lines: (lines: string) => log.push(lines),
    died: (worker: number, error: Error, retryMs: number | null) =>
      log.push(`${worker} ${error.message} ${retryMs}`),
  };
  return { puppets, clock, log, supervisor: new Supervisor(workers, puppets, events, clock) };
}

async function running(workers: number) {
  const all = supervise(workers);
  const started = all.supervisor.start();
  for (let worker = 0; worker < workers; worker++) all.puppets.of(worker).say({ type: 'ready' });
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
    const { puppets, supervisor } = supervise(2);
    const started = supervisor.start();
    puppets.of(1).say({ type: 'ready' });
    expect(await isSettled(started)).toBe(false);
    expect(supervisor.accepting).toBe(1);
    puppets.of(0).say({ type: 'ready' });
    await started;
    expect(supervisor.accepting).toBe(2);
  });

  test('fails with the first worker that dies before it accepts, and nothing is tried again', async () => {
    const { puppets, clock, log, supervisor } = supervise(2);
    const started = supervisor.start();
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
    expect(supervisor.accepting).toBe(1);
    expect(log).toEqual([`0 boom ${supervisorLimits.backoffMsMin}`]);
    await clock.pass(supervisorLimits.backoffMsMin);
    expect(supervisor.restarts).toBe(1);
    puppets.of(0).say({ type: 'ready' });
    expect(supervisor.accepting).toBe(2);
    expect(puppets.lives.map(({ worker }) => worker)).toEqual([0, 1, 0]);
  });

  test('again and again is replaced ever more slowly, up to a limit', async () => {
    const { puppets, clock, log } = await running(1);
    for (let death = 0; death < 10; death++) {
      puppets.of(0).die('x');
      await settled();
      await clock.pass(supervisorLimits.backoffMsMax);
    }
    const pauses = log.map((line) => Number(line.split(' ')[2]));
    expect(pauses.slice(0, 4)).toEqual([50, 100, 200, 400]);
    expect(pauses.at(-1)).toBe(supervisorLimits.backoffMsMax);
  });

  test('after a long life is replaced at once again', async () => {
    const { puppets, clock, log } = await running(1);
    for (const livedMs of [0, 0, supervisorLimits.livedMs]) {
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
    puppets.of(0).say({ type: 'ready' });
    puppets.of(0).say({ type: 'accepting_stopped' });
    puppets.of(0).end();
    await Promise.all([acceptingStopped, ended]);
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
  const { puppets, supervisor } = supervise(2);
  const started = supervisor.start();
  supervisor.abandon();
  for (const worker of [0, 1]) puppets.of(worker).say({ type: 'ready' });
  await expect(started).rejects.toThrow('told to end');
  await expect(supervisor.start()).rejects.toThrow('told to end');
  expect(puppets.lives).toHaveLength(2);
});

test('lines of workers are passed on, a plan reaches all of them', async () => {
  const { puppets, log, supervisor } = await running(2);
  puppets.of(1).say({ type: 'log', lines: '{}\n' });
  expect(log).toEqual(['{}\n']);
  supervisor.publish({} as Parameters<Supervisor['publish']>[0]);
  expect(puppets.posted).toEqual(['0 plan', '1 plan']);
});

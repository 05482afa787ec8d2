/** Groups of sockets that grow and shrink: who gets connections when, and what is closed. Real sockets, a clock by hand. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { native } from '../../src/addon.js';
import type { Config } from '../../src/model/config.js';
import { Listening, openListeners, RETIRE_MS } from '../../src/primary/listening.js';
import { FakeClock } from '../base/fake-clock.js';
import { openFiles } from '../support/proc.js';
import { configOf } from './config.js';

const log = { warn: () => {} } as never;

let clock: FakeClock;
let listening: Listening;
/** Calls in order: `steer N`, `release N`. */
let told: string[];
let filesBefore: number;

const configFor = (workers: number, accept: 'reuseport' | 'handoff' = 'reuseport'): Config =>
  configOf({ server: { workers, accept }, monitoringPort: 1 });

/** A second listener that can not be opened. */
function impossible(workers: number): Config {
  const config = configFor(workers);
  const address = {
    kind: 'unix',
    path: '/no/such/folder',
    text: 'unix:/no/such/folder',
    mode: 0o660,
  } as const;
  return {
    ...config,
    listeners: [...config.listeners, { ...config.listeners[0], name: 'other', address }] as never,
  };
}

async function open(workers: number): Promise<void> {
  const { sockets } = await openListeners(configFor(workers), { movesPorts: false, inherited: [] }, log);
  listening = new Listening(sockets, {
    steer: (fd, count) => {
      native.steer(fd, count);
      told.push(`steer ${count}`);
    },
    release: (numbers) => told.push(`release ${numbers.length}`),
    buffers: { fit: () => {} },
    clock,
  });
}

beforeEach(() => {
  filesBefore = openFiles(process.pid);
  clock = new FakeClock();
  told = [];
});

afterEach(() => {
  listening.close();
  expect(openFiles(process.pid)).toBe(filesBefore);
});

/** Open sockets. */
const openNow = () => openFiles(process.pid) - filesBefore;

const numbersOf = (place: number) => listening.current.of(place).map(({ socket }) => socket);

async function change(workers: number, accept?: 'reuseport' | 'handoff'): Promise<void> {
  (await listening.prepare(configFor(workers, accept))).commit();
}

describe('a group that grows', () => {
  test('sends nothing to its new sockets before they are in force', async () => {
    await open(1);
    const prepared = await listening.prepare(configFor(3));
    expect({ told, open: openNow() }).toEqual({ told: ['steer 1'], open: 3 });
    expect(listening.next.of(2)).toHaveLength(1);
    expect(listening.current.of(0)).toHaveLength(1);
    prepared.commit();
    expect(told).toEqual(['steer 1', 'steer 0']);
  });

  test.each([
    { why: 'refused later', refuse: async () => (await listening.prepare(configFor(3))).discard() },
    {
      why: 'not to be opened',
      refuse: () => expect(listening.prepare(impossible(3))).rejects.toThrow('listener other can not listen'),
    },
  ])('is as before when the change is $why', async ({ refuse }) => {
    await open(1);
    const before = numbersOf(0);
    await refuse();
    expect({ told, open: openNow(), numbers: numbersOf(0) }).toEqual({
      told: ['steer 1', 'steer 0'],
      open: 1,
      numbers: before,
    });
  });
});

describe('a group that shrinks', () => {
  test('is emptied for a while by those that stay, then closed', async () => {
    await open(4);
    const all = [0, 1, 2, 3].flatMap(numbersOf);
    await change(2);
    expect(told).toEqual(['steer 2']);
    expect([numbersOf(0), numbersOf(1)]).toEqual([
      [all[0], all[2]],
      [all[1], all[3]],
    ]);
    await clock.pass(RETIRE_MS - 1);
    expect(openNow()).toBe(4);
    await clock.pass(1);
    expect({ told, open: openNow() }).toEqual({ told: ['steer 2', 'release 2'], open: 2 });
    expect([numbersOf(0), numbersOf(1)]).toEqual([[all[0]], [all[1]]]);
    await change(2);
    expect(told).toEqual(['steer 2', 'release 2', 'steer 0']);
  });

  test('and grows again meanwhile goes on with the same sockets', async () => {
    await open(3);
    const all = [0, 1, 2].flatMap(numbersOf);
    await change(1);
    await change(3);
    expect([0, 1, 2].flatMap(numbersOf)).toEqual(all);
    await clock.pass(2 * RETIRE_MS);
    expect({ told, open: openNow() }).toEqual({ told: ['steer 1', 'steer 0'], open: 3 });
  });

  test('retires nothing while another change is being prepared, and goes on when that is refused', async () => {
    await open(3);
    await change(1);
    const prepared = await listening.prepare(configFor(3));
    await clock.pass(2 * RETIRE_MS);
    expect(openNow()).toBe(3);
    prepared.discard();
    await clock.pass(RETIRE_MS);
    expect({ told, open: openNow() }).toEqual({ told: ['steer 1', 'release 2'], open: 1 });
  });

  test('in handoff mode is accepted on by the one place there is', async () => {
    await open(3);
    const all = [0, 1, 2].flatMap(numbersOf);
    await change(3, 'handoff');
    expect(numbersOf(0)).toEqual(all);
    await clock.pass(RETIRE_MS);
    expect(numbersOf(0)).toEqual([all[0]]);
  });
});

test('while it is held nothing is closed; afterwards what retires is', async () => {
  await open(3);
  (await listening.prepare(configFor(1))).commit();
  const resume = listening.hold();
  await clock.pass(2 * RETIRE_MS);
  expect(openNow()).toBe(3);
  resume();
  await clock.pass(RETIRE_MS);
  expect(openNow()).toBe(1);
});

test('sockets taken over get connections again, whatever the process before had steered', async () => {
  await open(2);
  listening.takeOver(configFor(1).server);
  expect(told).toEqual(['steer 0']);
});

import { describe, expect, test } from 'vitest';
import { createLogger } from '../../../src/base/log.js';
import { ServiceManager, serviceManagerLimits } from '../../../src/cli/run/service-manager.js';
import { FakeClock } from '../../base/fake-clock.js';

/** A service manager whose queue can be full or gone. */
function start(environment: Record<string, string> = {}) {
  const clock = new FakeClock();
  const told: string[] = [];
  const logged: string[] = [];
  const state = { fault: null as string | null };
  const manager = new ServiceManager({
    environment: { NOTIFY_SOCKET: '@manager', ...environment },
    pid: 4711,
    clock,
    log: createLogger({ level: 'info', write: (line) => logged.push(line) }),
    notify: (socket, text) => {
      if (state.fault) throw Object.assign(new Error(`${state.fault}: no`), { code: state.fault });
      told.push(`${socket} ${text}`);
    },
  });
  return { clock, told, logged, state, manager };
}

test('each state is one datagram', () => {
  const { manager, told } = start();
  manager.ready('2 listeners');
  manager.reloading();
  manager.stopping('9 sessions left');
  expect(told).toEqual([
    '@manager READY=1\nSTATUS=2 listeners',
    expect.stringMatching(/^@manager RELOADING=1\nMONOTONIC_USEC=\d+\nSTATUS=reloading$/),
    '@manager STOPPING=1\nSTATUS=9 sessions left',
  ]);
});

test('without NOTIFY_SOCKET nothing is told', () => {
  const { manager, told } = start({ NOTIFY_SOCKET: '' });
  manager.ready('');
  expect(told).toEqual([]);
});

test('after the hand-over this process tells nothing more', () => {
  const { manager, told } = start();
  manager.handOver(42);
  manager.stopping('');
  expect(told).toEqual(['@manager MAINPID=42']);
});

describe('a full queue', () => {
  test('keeps the order, and nothing is lost', async () => {
    const { manager, told, state, clock } = start();
    state.fault = 'EAGAIN';
    manager.status('a');
    manager.status('b');
    state.fault = null;
    manager.status('c');
    await clock.pass(serviceManagerLimits.retryMs);
    expect(told.map((each) => each.at(-1))).toEqual(['a', 'b', 'c']);
  });

  test('that is never emptied holds a bounded number', async () => {
    const { manager, told, state, clock } = start();
    state.fault = 'EAGAIN';
    for (let each = 0; each < 1000; each += 1) manager.status(String(each));
    state.fault = null;
    await clock.pass(serviceManagerLimits.retryMs);
    expect(told).toHaveLength(serviceManagerLimits.pendingMax);
  });
});

test('a service manager that is gone is said once', () => {
  const { manager, logged, state } = start();
  state.fault = 'ECONNREFUSED';
  for (let each = 0; each < 10; each += 1) manager.status('');
  expect(logged).toHaveLength(1);
  expect(logged[0]).toContain('ECONNREFUSED');
});

describe('the watchdog', () => {
  const watchdogs = (told: string[]) => told.filter((each) => each.endsWith('WATCHDOG=1')).length;

  test('hears every half interval of a healthy process', async () => {
    const { manager, told, clock } = start({ WATCHDOG_USEC: '10000000' });
    manager.watch(() => true);
    await clock.pass(20_000);
    expect(watchdogs(told)).toBe(5);
  });

  test('hears nothing of one that is not healthy, and again once it is', async () => {
    const { manager, told, clock } = start({ WATCHDOG_USEC: '10000000' });
    let healthy = false;
    manager.watch(() => healthy);
    await clock.pass(20_000);
    expect(watchdogs(told)).toBe(0);
    healthy = true;
    await clock.pass(5000);
    expect(watchdogs(told)).toBe(1);
  });

  test.each([
    {},
    { WATCHDOG_USEC: '0' },
    { WATCHDOG_USEC: 'soon' },
    { WATCHDOG_USEC: '10000000', WATCHDOG_PID: '1' },
  ])('is not there: %o', async (environment: Record<string, string>) => {
    const { manager, told, clock } = start(environment);
    manager.watch(() => true);
    await clock.pass(60_000);
    expect(told).toEqual([]);
  });

  test('hears nothing more after the hand-over', async () => {
    const { manager, told, clock } = start({ WATCHDOG_USEC: '10000000' });
    manager.watch(() => true);
    manager.handOver(42);
    await clock.pass(60_000);
    expect(watchdogs(told)).toBe(1);
  });
});

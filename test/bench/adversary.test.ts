/** An attack whose ends are not what they should be gets no figure: the benchmark says what happened instead. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Attack } from '../../bench/adversary/attacks.js';
import { measureNormal, type Noticed, type Target } from '../../bench/adversary/noticed.js';
import { outcomeOf, refusalText, table } from '../../bench/adversary/outcome.js';
import { drip } from '../support/attackers.js';
import { startDaemon } from '../support/daemon.js';
import type { Running } from '../support/process.js';
import { startEndpoint } from '../support/steady.js';

let endpoint: Running & { readonly target: string };
let target: Target;
const SECONDS = 1;

beforeAll(async () => {
  endpoint = await startEndpoint();
  const daemon = await startDaemon({
    server: { identify_timeout: '500ms' },
    protocols: ['Redis', 'HTTP'].map((name) => ({ name, target: endpoint.target })),
  });
  target = { pid: daemon.pid, daemon, port: daemon.port, load: { rate: 50, long: 4, intervalMs: 20 } };
});

afterAll(async () => {
  await target.daemon?.stop();
  await endpoint.stop();
});

const slow: Attack = {
  name: 'slow',
  why: 'a few clients that never finish',
  orders: drip(8, ['GE', ''], ['*1\r\n$9', '9']),
  reasons: ['identify_timeout', 'client_gone'],
};
const garbage: Attack = {
  name: 'garbage',
  why: 'random bytes',
  orders: ['garbage', 4, 60],
  reasons: ['unknown_protocol'],
};

test('normal sessions and attackers are all in the books, and have figures', async () => {
  for (const attack of [null, slow, garbage]) {
    const noticed = await measureNormal(target, attack, SECONDS);
    expect(noticed.cpuNanoseconds).toBeGreaterThan(0);
    expect(noticed.pingP99Us).toBeGreaterThan(0);
    expect(noticed.sessionP99Us).toBeGreaterThan(0);
    expect(noticed.attackRate > 0).toBe(attack !== null);
    expect(noticed.lost).toBe(0);
  }
});

test('attackers that end otherwise', () =>
  expect(measureNormal(target, { ...garbage, reasons: ['banned'] }, SECONDS)).rejects.toThrow(
    'garbage: sessions ended as unknown_protocol 60',
  ));

test('attackers that are answered', () =>
  expect(
    measureNormal(target, { ...slow, orders: drip(2, ['*1\r\n$4\r\nPING\r\n', '']) }, SECONDS),
  ).rejects.toThrow('an attacker was answered'));

const noticed = (factor: number): Noticed => ({
  cpuNanoseconds: 50_000_000 * factor,
  sessions: 1000,
  attackers: 100,
  pingP99Us: 200 * factor,
  sessionP99Us: 500 * factor,
  lost: 0,
  attackRate: 100,
});
const rounds = (factor: number): Noticed[] => Array.from({ length: 6 }, () => noticed(factor));

test('a bound is broken when every round says so, and held when every round does', () => {
  const bounded = { ...slow, goal: 1.3, keptMax: 1024 };
  const quiet = rounds(1);
  const once = { quiet, attacked: [noticed(1.2), ...rounds(1.4).slice(1)], refusals: [], keptBytes: 1024 };
  const held = outcomeOf('held', bounded, once);
  const broken = outcomeOf('broken', bounded, { ...once, attacked: rounds(1.4), keptBytes: 1025 });
  const within = outcomeOf('within', bounded, { ...once, attacked: rounds(1.2) });
  expect([held.broken, held.open]).toEqual([[], ['cpu', 'ping', 'session']]);
  expect(broken.broken).toEqual(['cpu', 'ping', 'session', 'memory']);
  expect(table([within, held, broken])).toMatch(
    /1\.20 \(1\.20–1\.20\).+: held\n.+1\.40 \(1\.20–1\.40\).+: not shown for cpu, ping, session\n.+1\.40 \(1\.40–1\.40\).+: broken by cpu/,
  );
});

test('attackers of a flood count with what each costs alone', () => {
  const flooded = rounds(1.4); // 70 ms, of which 100 refused connections at 200 µs are 20
  const refusals = flooded.map(() => 200_000);
  const quiet = rounds(1).map((each) => ({ ...each, attackers: 0 }));
  const { cpu } = outcomeOf('flood', slow, { quiet, attacked: flooded, refusals, keptBytes: 0 });
  expect(cpu.median).toBeCloseTo(1);
  expect(refusalText('flood', refusals, [100_000, ...refusals.slice(1)], [180_000])).toBe(
    'flood: CPU per refused connection 200.00 µs (200.00–200.00); of a program that looks at nothing 180.00 µs (180.00–180.00); HAProxy 200.00 µs (100.00–200.00); ratio 1.00 (1.00–2.00), goal 0.9',
  );
});

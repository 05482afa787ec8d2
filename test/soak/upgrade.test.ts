/** Upgrades in place under load: 0 failed, 0 cut, and what was accepted is what has ended, over all processes. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import type { TestConfig } from '../support/daemon.js';
import { residentBytes } from '../support/proc.js';
import { startEndpoint, startLoad } from '../support/steady.js';
import { startGenerations } from '../support/upgrade.js';
import { eventually } from '../support/wait.js';
import { BooksWatch } from './books.js';
import { MIB, report, whole } from './soak.js';

const shape = whole
  ? { upgrades: 10, gapMs: 3000, rate: 2000, long: 500, intervalMs: 250 }
  : { upgrades: 2, gapMs: 300, rate: 200, long: 50, intervalMs: 50 };

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const configOf = (target: string): TestConfig => ({
  // Long sessions end with the load: no process may cut them before.
  server: { workers: 2, max_connections: 5000, graceful_shutdown_timeout: '10m', upgrade_timeout: '30s' },
  logging: { access_log: false },
  protocols: [{ name: 'Redis', target }],
});

test('many upgrades in place: 0 failed, 0 cut, accepted = ended', async () => {
  const endpoint = await startEndpoint();
  cleanups.push(() => endpoint.stop());
  const generations = await startGenerations(configOf(endpoint.target));
  cleanups.push(() => generations.stop());
  const { daemon } = generations;
  const watch = new BooksWatch(async () => (await daemon.get('/metrics')).text());
  const load = await startLoad([daemon.port], shape);
  cleanups.push(() => load.kill());
  const tookMs: number[] = [];
  const bytes: number[] = [];
  for (let upgrade = 0; upgrade < shape.upgrades; upgrade += 1) {
    const beganMs = performance.now();
    const pid = await generations.upgrade();
    tookMs.push(performance.now() - beganMs);
    await sleep(shape.gapMs);
    bytes.push(residentBytes(pid));
  }
  const { failures, ...figures } = await load.stop();
  await eventually('the processes before to end', () => generations.living.length === 1);
  await daemon.metricBecomes('anyport_sessions_active', 0);
  const books = await watch.stop();
  report(`${shape.upgrades} upgrades`, {
    ...figures,
    upgrade_ms_max: Math.round(Math.max(...tookMs)),
    last_process_mib: Math.round((bytes.at(-1) as number) / MIB),
    scrapes: watch.scrapes,
  });
  expect(failures).toBe('');
  expect(figures).toMatchObject({ failed: 0, cut: 0, long: shape.long });
  expect(watch.faults).toEqual([]);
  const sessions = figures.sessions + figures.long;
  expect(books).toEqual({ accepted: sessions, ended: sessions, active: 0, unusual: 0 });
});

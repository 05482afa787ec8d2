/**
 * 100,000 openings of garbage beside normal sessions (a fifth of them without `ANYPORT_SOAK=1`): once the worker is at rest,
 * what they have taken is given back.
 */
import { expect, test } from 'vitest';
import { startAttackers } from '../support/attackers.js';
import { startDaemon } from '../support/daemon.js';
import { freePort } from '../support/ports.js';
import { privateBytes } from '../support/proc.js';
import { startEndpoint, startLoad } from '../support/steady.js';
import { eventually } from '../support/wait.js';
import { MIB, report, whole } from './soak.js';

const OPENINGS = whole ? 100_000 : 20_000;
const AT_ONCE = 64;
const KEPT_MAX = 2 * MIB;
const normal = { rate: 500, long: 64, intervalMs: 50 };

test('garbage leaves less than 2 MiB', async () => {
  const endpoint = await startEndpoint();
  const port = await freePort();
  const daemon = await startDaemon(
    {
      server: { max_connections: 9000 },
      listeners: [{ name: 'front', address: `127.0.0.1:${port}`, on_unknown: 'reset' }],
      protocols: ['Redis', 'HTTP', 'TLS'].map((name) => ({ name, target: endpoint.target })),
      logging: { access_log: false },
    },
    { asInstalled: true },
  );
  const burst = async (openings: number) => {
    const load = await startLoad([port], normal);
    await (await startAttackers(port, ['garbage', AT_ONCE, openings])).stop();
    await load.stop();
    await daemon.metricBecomes('anyport_sessions_active', 0);
  };
  // Compiles what runs; tables and heaps get their size.
  await burst(OPENINGS / 5);
  const before = privateBytes(daemon.pid);
  await burst(OPENINGS);
  const kept = () => privateBytes(daemon.pid) - before;
  const most = kept();
  await eventually(`less than ${KEPT_MAX} bytes to be kept`, () => kept() < KEPT_MAX);
  const inMebibytes = (bytes: number) => `${(bytes / MIB).toFixed(1)} MiB`;
  report('garbage', { openings: OPENINGS, after: inMebibytes(most), kept: inMebibytes(kept()) });
  expect(await daemon.metric('anyport_sessions_total', { reason: 'unknown_protocol' })).toBe(1.2 * OPENINGS);
  await daemon.booksBalance();
  await daemon.stop();
  await endpoint.stop();
});

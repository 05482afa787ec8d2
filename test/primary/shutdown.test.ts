/** Order and time of a shutdown, and what it tells. */
import { describe, expect, test } from 'vitest';
import { cellOf, rowCells } from '../../src/metrics/cells.js';
import type { Totals } from '../../src/metrics/totals.js';
import { type IdNames, NONE } from '../../src/model/ids.js';
import { reasons } from '../../src/model/session.js';
import { Shutdown, shutdownLimits } from '../../src/primary/shutdown.js';
import { FakeClock, settled } from '../base/fake-clock.js';

const DEADLINE_MS = 60_000;

/** Listener and protocol of row n are `listener-n` and `protocol-n`; row 0 has no protocol. */
const names: IdNames = { nameOf: (kind, id) => `${kind}-${id}` };

function stage(active: readonly number[], drainDelayMs = 0, handsOver = false) {
  const clock = new FakeClock();
  const lines: Record<string, unknown>[] = [];
  const ended = { drain_timeout: 0, admin: 0 };
  const did: string[] = [];
  let end: (inTime: boolean) => void = () => {};
  const totals = (): Totals => {
    const rows = active.map((sessions, index) => {
      const cells = new Float64Array(rowCells.listener_protocol);
      cells[cellOf.anyport_sessions_active] = sessions;
      for (const [reason, count] of Object.entries(ended))
        cells[cellOf.anyport_sessions_total + reasons.indexOf(reason as 'admin')] = index === 0 ? count : 0;
      return { first: index, second: index === 0 ? NONE : index, labels: '', cells };
    });
    return { listener_protocol: rows, worker: [] } as unknown as Totals;
  };
  const open = active.reduce((sum, each) => sum + each, 0);
  const plane = {
    open,
    drain(deadlineMs: number, handsOver?: boolean) {
      did.push(`drain ${deadlineMs}${handsOver ? ', sockets handed over' : ''}`);
      return new Promise<boolean>((resolve) => {
        end = resolve;
      });
    },
    async cut() {
      did.push('cut');
      ended.admin += open;
    },
  };
  const shutdown = new Shutdown({
    plane,
    handsOver: () => handsOver,
    times: () => ({ drainDelayMs, gracefulShutdownTimeoutMs: DEADLINE_MS }),
    totals,
    names,
    info: (fields, msg) => lines.push({ ...fields, msg }),
    clock,
  });
  return { clock, lines, did, ended, shutdown, end: (inTime: boolean) => end(inTime) };
}

describe('while it drains', () => {
  test('it tells how many sessions are left, of whom, and when they are cut', async () => {
    const { clock, lines, shutdown, end, ended } = stage([1, 20, 3]);
    const drained = shutdown.drain(true);
    expect(lines).toEqual([{ sessions: 24, drain_delay_ms: 0, deadline_ms: DEADLINE_MS, msg: 'draining' }]);
    await settled();
    await clock.pass(2 * shutdownLimits.tellMs);
    expect(lines).toHaveLength(3);
    expect(lines[2]).toEqual({
      sessions: 24,
      left: [
        { listener: 'listener-1', protocol: 'protocol-1', sessions: 20 },
        { listener: 'listener-2', protocol: 'protocol-2', sessions: 3 },
        { listener: 'listener-0', protocol: null, sessions: 1 },
      ],
      cut_in_ms: DEADLINE_MS - 2 * shutdownLimits.tellMs,
      msg: 'still draining',
    });
    ended.drain_timeout = 4;
    end(true);
    expect(await drained).toBe(true);
    await clock.pass(10 * shutdownLimits.tellMs);
    const took_ms = 2 * shutdownLimits.tellMs;
    expect(lines.slice(3)).toEqual([{ cut: 4, lines_dropped: 0, took_ms, msg: 'drained' }]);
  });

  test('a line is bounded: pairs beyond the most are summed up', async () => {
    const pairs = shutdownLimits.pairsMax + 3;
    const { clock, lines, shutdown } = stage(Array.from({ length: pairs }, (_, index) => pairs - index));
    void shutdown.drain(true);
    await settled();
    await clock.pass(shutdownLimits.tellMs);
    expect(lines[1]?.left).toHaveLength(shutdownLimits.pairsMax);
    expect(lines[1]?.others).toBe(1 + 2 + 3);
    shutdown.close();
  });
});

describe('the delay', () => {
  test('comes before the drain, whose deadline begins after it', async () => {
    const { clock, did, shutdown } = stage([1], 5000);
    void shutdown.drain(true);
    expect(shutdown.hasBegun).toBe(true);
    await clock.pass(4999);
    expect(did).toEqual([]);
    await clock.pass(1);
    expect(did).toEqual([`drain ${DEADLINE_MS}`]);
    shutdown.close();
  });

  test('is not when the caller says so: another process accepts already', async () => {
    const { did, shutdown } = stage([1], 5000);
    void shutdown.drain(true, 7, 0);
    await settled();
    expect(did).toEqual(['drain 7']);
    shutdown.close();
  });

  test('is not for a daemon that has not started', async () => {
    const { did, shutdown } = stage([1], 5000);
    void shutdown.drain(false);
    await settled();
    expect(did).toEqual([`drain ${DEADLINE_MS}`]);
    shutdown.close();
  });

  test('is over when sessions are cut', async () => {
    const { clock, did, lines, shutdown } = stage([2], 5000);
    const drained = shutdown.drain(true);
    expect(await shutdown.cut()).toBe(false);
    expect(await drained).toBe(false);
    await clock.pass(DEADLINE_MS);
    expect(did).toEqual(['cut']);
    expect(lines.slice(1)).toEqual([{ cut: 2, lines_dropped: 0, took_ms: 0, msg: 'drained' }]);
  });

  test('is over when the daemon is closed', async () => {
    const { did, shutdown } = stage([1], 5000);
    const drained = shutdown.drain(true);
    shutdown.close();
    expect(await drained).toBe(false);
    expect(did).toEqual([]);
  });
});

test('workers hear whether another process has the sockets', async () => {
  const { did, shutdown } = stage([1], 0, true);
  void shutdown.drain(true);
  await settled();
  expect(did).toEqual([`drain ${DEADLINE_MS}, sockets handed over`]);
  shutdown.close();
});

test('one drain is all that happens, whoever asks how often', async () => {
  const { did, shutdown } = stage([1]);
  expect(shutdown.request()).toBe(true);
  expect(shutdown.requested.aborted).toBe(true);
  expect(shutdown.request()).toBe(false);
  expect(shutdown.drain(true)).toBe(shutdown.drain(true));
  await settled();
  expect(shutdown.request()).toBe(false);
  expect(did).toEqual([`drain ${DEADLINE_MS}`]);
  shutdown.close();
});

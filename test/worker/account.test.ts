import { describe, expect, test } from 'vitest';
import { createLogger } from '../../src/base/log.js';
import { WorkerCounters } from '../../src/metrics/counters.js';
import { createCounters } from '../../src/metrics/memory.js';
import type { EndedSession } from '../../src/model/report.js';
import { IdRegistry } from '../../src/plane/ids.js';
import { createAccount, type SessionLine } from '../../src/worker/account.js';
import { refusalLimits } from '../../src/worker/refusals.js';
import { samplesOf } from '../support/counts.js';
import { total } from '../support/metrics.js';

const line: SessionLine = {
  listener: 'front',
  protocol: null,
  facts: {},
  transport: 'tcp',
  source: '192.0.2.7:40000',
  upstream: null,
  endpoint: null,
  openingBytes: 0,
  bytesUp: 0,
  bytesDown: 0,
  identifyMs: 0,
  connectMs: 0.12345,
  durationMs: 3,
  by: 'client',
  during: 'sniff',
  reason: 'client_gone',
};

function accountWith(rate: number, level = 'info') {
  const buffer = createCounters();
  const lines: string[] = [];
  const reported: EndedSession[] = [];
  let now = 0;
  const account = createAccount({
    worker: 3,
    counters: new WorkerCounters(buffer),
    logger: createLogger({ level, write: () => {} }),
    write: (line) => lines.push(line),
    nowMs: () => now,
    report: (session) => reported.push(session),
  });
  account.apply({ enabled: true, rate }, 2);
  const advance = (ms: number) => {
    now += ms;
  };
  const dropped = () => total(samplesOf([buffer], new IdRegistry()), 'anyport_log_lines_dropped_total');
  return { account, advance, lines, reported, dropped };
}

test('a flow says so', () => {
  const { account, lines } = accountWith(10);
  account.ended(() => ({ ...line, transport: 'udp' }));
  account.ended(() => line);
  expect(lines.map((each) => JSON.parse(each).transport)).toEqual(['udp', undefined]);
});

test('a session that ended is one line', () => {
  const { account, lines } = accountWith(10);
  account.ended(() => line);
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    msg: 'session',
    listener: 'front',
    protocol: null,
    source: '192.0.2.7:40000',
    by: 'client',
    during: 'sniff',
    reason: 'client_gone',
    connect_ms: 0.123,
    worker: 3,
  });
});

test('over its share of the rate lines are dropped and counted', () => {
  const { account, advance, lines, dropped } = accountWith(10);
  for (let i = 0; i < 8; i += 1) account.ended(() => line);
  expect(lines).toHaveLength(5); // 10 a second over 2 workers
  expect(dropped()).toBe(3);
  advance(1000);
  account.ended(() => line);
  expect(lines).toHaveLength(6);
});

test('above level info there is no line, and none is counted as dropped', () => {
  const { account, lines, dropped } = accountWith(10, 'warn');
  account.ended(() => line);
  expect(lines).toEqual([]);
  expect(dropped()).toBe(0);
});

describe('refused connections', () => {
  const refused = (source: string, reason: 'denied' | 'banned' | 'over_limit' = 'banned') => ({
    ...line,
    source,
    reason,
  });
  const told = (lines: readonly string[]) =>
    lines.map((each) => {
      const { source, reason, suppressed = 0, suppressed_others = 0 } = JSON.parse(each);
      return `${source} ${reason} ${suppressed}+${suppressed_others}`;
    });

  test('of a source and reason the first has a line, then one in ten seconds that counts the others', () => {
    const { account, advance, lines, dropped } = accountWith(10_000);
    for (let each = 0; each < 50; each += 1) account.refused(() => refused(`192.0.2.7:${each}`), 0);
    account.refused(() => refused('192.0.2.7:50', 'denied'), 0);
    account.refused(() => refused('[2001:db8::7]:50'), 0);
    account.refused(() => refused('unix'), 0);
    expect(told(lines)).toEqual([
      '192.0.2.7:0 banned 0+0',
      '192.0.2.7:50 denied 0+0',
      '[2001:db8::7]:50 banned 0+0',
      'unix banned 0+0',
    ]);
    advance(9_999);
    account.refused(() => refused('192.0.2.7:51'), 0);
    advance(1);
    account.refused(() => refused('192.0.2.7:52'), 0);
    expect(told(lines).slice(4)).toEqual(['192.0.2.7:52 banned 50+0']);
    expect(dropped()).toBe(50);
  });

  test('many sources share ten lines a second, and no refusal is lost from the count', () => {
    const { account, advance, lines, dropped } = accountWith(10_000);
    const SOURCES = 5000;
    for (let each = 0; each < SOURCES; each += 1)
      account.refused(() => refused(`10.0.${each >> 8}.${each & 255}:1`), 0);
    expect(lines).toHaveLength(10);
    expect(dropped()).toBe(SOURCES - 10);
    advance(1000);
    account.refused(() => refused('192.0.2.1:1'), 7);
    // Those whose source is still known may be counted by a line of their own.
    const { suppressed_others: others } = JSON.parse(lines.at(-1) ?? '');
    expect(others).toBe(SOURCES - 10 + 7 - refusalLimits.entriesMax + 1);
    expect(dropped()).toBe(SOURCES - 10 + 7);
  });

  test('a flood from one source does not hide another', () => {
    const { account, advance, lines } = accountWith(10_000);
    for (let second = 0; second < 20; second += 1) {
      for (let each = 0; each < 100; each += 1) account.refused(() => refused('192.0.2.7:1'), 1000);
      advance(1000);
    }
    account.refused(() => refused('192.0.2.8:1', 'over_limit'), 0);
    expect(told(lines).map((each) => each.replace(/ .*/, ''))).toEqual([
      '192.0.2.7:1',
      '192.0.2.7:1',
      '192.0.2.8:1',
    ]);
  });
});

test('a session is reported while somebody listens, logged or not, at the rate of the log', () => {
  const { account, lines, reported, dropped } = accountWith(10);
  account.ended(() => line);
  account.reports = true;
  account.ended(() => line);
  account.apply({ enabled: false, rate: 10 }, 2);
  expect(account.logs).toBe(true);
  for (let each = 0; each < 5; each += 1) account.ended(() => line);
  expect(lines).toHaveLength(2);
  expect(reported).toHaveLength(5);
  expect(dropped()).toBe(1);
  expect(reported[0]).toMatchObject({
    time: expect.any(Date),
    connectMs: 0.123,
    reason: 'client_gone',
    worker: 3,
  });
  account.reports = false;
  account.ended(() => line);
  expect(account.logs).toBe(false);
  expect(reported).toHaveLength(5);
});

/** Bans as operators see them, on the engine's own table. */
import { describe, expect, test } from 'vitest';
import { native } from '../../../src/addon.js';
import { createNetworkSet } from '../../../src/base/network.js';
import { noLists } from '../../../src/config/validate/lists.js';
import type { BanResult } from '../../../src/model/ban.js';
import { Bans, banWatchLimits } from '../../../src/primary/bans/index.js';
import { banSource } from '../../../src/primary/bans/source.js';
import { FakeClock } from '../../base/fake-clock.js';
import { eventually } from '../../support/wait.js';

interface Line {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

async function started(trusted: readonly string[] = []) {
  const admission = new native.Admission({ room: new Int32Array(new SharedArrayBuffer(1 << 16)) });
  const clock = new LateClock();
  const lines: Line[] = [];
  const write = (level: string) => (fields: object, msg: string) => lines.push({ level, msg, ...fields });
  const log = { info: write('info'), warn: write('warn'), error: write('error') };
  const list = { contains: createNetworkSet(trusted) };
  /** Each look asks whom it has to leave out. */
  const looks = { holdUpMs: 0 };
  const asked = () => {
    clock.heldUpMs += looks.holdUpMs;
    return list;
  };
  const bans = new Bans({ admission, trusted: asked, clock, nowMs: Date.now, log: log as never });
  const security = { rateLimit: null, guard: null, lists: noLists, banExport: null };
  (await bans.prepare({ security })).commit();
  bans.begin();
  return { bans, admission, clock, lines, looks };
}

/** Its time can pass while somebody is at work: the process is held up. */
class LateClock extends FakeClock {
  heldUpMs = 0;

  override nowMs(): number {
    return super.nowMs() + this.heldUpMs;
  }
}

const banned = (result: BanResult) => {
  if (result.result !== 'banned') throw new Error(`it was ${result.result}`);
  return result.ban;
};

describe('an operator', () => {
  test('bans, sees and lifts', async () => {
    const { bans, lines } = await started();
    const ban = banned(bans.ban({ ip: '192.0.2.7', for: '1h', reason: 'a scan' }));
    expect(ban).toMatchObject({ address: '192.0.2.7', cause: 'operator', reason: 'a scan' });
    expect(ban.leftSeconds).toBeGreaterThan(3590);
    expect(ban.leftSeconds).toBeLessThanOrEqual(3600);
    expect(bans.list()).toMatchObject({ bans: [{ address: '192.0.2.7' }], active: 1 });
    expect(bans.lift('192.0.2.7')).toMatchObject({ ban: { address: '192.0.2.7', reason: 'a scan' } });
    expect(bans.lift('192.0.2.7')).toEqual({ result: 'not_banned' });
    expect(bans.lift('nonsense')).toMatchObject({
      result: 'invalid',
      message: expect.stringContaining('an address'),
    });
    expect(bans.list()).toEqual({ bans: [], active: 0 });
    expect(lines).toMatchObject([
      { level: 'warn', msg: 'source banned', source: '192.0.2.7', cause: 'operator', reason: 'a scan' },
      { level: 'info', msg: 'ban over', source: '192.0.2.7', lifted: true },
    ]);
    bans.close();
  });

  test('bans the /64 of an IPv6 address, and lifts it by any of its addresses', async () => {
    const { bans } = await started();
    expect(banned(bans.ban({ ip: '2001:db8::7' })).address).toBe('2001:db8::/64');
    expect(bans.lift('2001:db8::ffff')).toMatchObject({ ban: { address: '2001:db8::/64' } });
    bans.close();
  });

  test('sets another time for one that is banned', async () => {
    const { bans, lines } = await started();
    bans.ban({ ip: '192.0.2.7', for: '1h', reason: 'first' });
    const ban = banned(bans.ban({ ip: '192.0.2.7', for: '2h' }));
    expect(ban.leftSeconds).toBeGreaterThan(7190);
    expect(ban.reason).toBeNull();
    expect(bans.list().active).toBe(1);
    expect(lines.map(({ msg }) => msg)).toEqual(['source banned', 'source banned']);
    bans.close();
  });

  test('is refused what makes no sense, or what is trusted', async () => {
    const { bans, lines } = await started(['10.0.0.0/8', '2001:db8:1::/48']);
    expect(bans.ban({ ip: '10.1.2.3' })).toEqual({ result: 'trusted' });
    expect(bans.ban({ ip: '::ffff:10.1.2.3' })).toEqual({ result: 'trusted' });
    expect(bans.ban({ ip: '2001:db8:1:2::3' })).toEqual({ result: 'trusted' });
    expect(bans.ban({ ip: '192.0.2.0/24' })).toMatchObject({ result: 'invalid', path: 'ip' });
    for (const time of ['', '10', '999ms', '721h', '-1s', '1e9h'])
      expect(bans.ban({ ip: '192.0.2.7', for: time })).toMatchObject({ result: 'invalid', path: 'for' });
    expect(bans.list().active).toBe(0);
    expect(lines).toEqual([]);
    bans.close();
  });
});

test('what an operator asks reads no more bans than it is about', async () => {
  const { bans, admission } = await started();
  for (let n = 0; n < 200; n += 1) admission.ban(`10.0.0.${n}`, 3_600_000);
  let read = 0;
  const all = admission.bans.bind(admission);
  const counting = (most?: number) => {
    const rows = all(most);
    read += rows.length;
    return rows;
  };
  Object.defineProperty(admission, 'bans', { value: counting });
  for (let n = 0; n < 50; n += 1) {
    expect(banned(bans.ban({ ip: `192.0.2.${n}`, reason: `${n}` })).reason).toBe(`${n}`);
    expect(bans.lift(`192.0.2.${n}`)).toMatchObject({ ban: { reason: `${n}` } });
  }
  expect(bans.lift('192.0.2.1')).toEqual({ result: 'not_banned' });
  expect(bans.list(10)).toMatchObject({ bans: { length: 10 }, active: 200 });
  expect(read).toBe(10);
  bans.close();
});

test('a source is written alike by the engine and by an operator', async () => {
  const { bans, admission } = await started();
  const groups = ['0', '1', 'ffff', 'a0b'];
  const written = groups.flatMap((one) =>
    groups.flatMap((two) =>
      groups.flatMap((three) => groups.map((four) => [one, two, three, four].join(':'))),
    ),
  );
  for (const prefix of written) {
    const { address } = banned(bans.ban({ ip: `${prefix}:0:0:0:7`, for: '1h' }));
    expect(address).toBe(banSource(`${prefix}::/64`)?.shown);
    expect(bans.lift(`${prefix}:1:2:3:4`)).toMatchObject({ ban: { address } });
  }
  expect(admission.counts().bansActive).toBe(0);
  bans.close();
});

describe('bans that are made elsewhere', () => {
  test('are seen a second later, and so is their end', async () => {
    const { bans, admission, clock, lines } = await started();
    admission.ban('192.0.2.9', 40);
    await clock.pass(banWatchLimits.lookMs);
    expect(lines).toMatchObject([{ msg: 'source banned', source: '192.0.2.9' }]);
    await eventually('its end', () => admission.bans().length === 0);
    await clock.pass(banWatchLimits.lookMs);
    expect(lines.slice(1)).toEqual([{ level: 'info', msg: 'ban over', source: '192.0.2.9' }]);
    await clock.pass(10 * banWatchLimits.lookMs);
    expect(lines).toHaveLength(2);
    bans.close();
  });

  test('are seen soon after a look during which the process was held up', async () => {
    const { bans, admission, clock, lines, looks } = await started();
    looks.holdUpMs = 10 * banWatchLimits.lookMsMax;
    await clock.pass(banWatchLimits.lookMs);
    looks.holdUpMs = 0;
    admission.ban('192.0.2.9', 60_000);
    await clock.pass(banWatchLimits.lookMsMax);
    expect(lines).toMatchObject([{ msg: 'source banned', source: '192.0.2.9' }]);
    bans.close();
  });

  test('a flood of them is few lines, which say how many more there were', async () => {
    const { bans, admission, clock, lines } = await started();
    for (let each = 0; each < 500; each += 1) admission.ban(`10.0.${each >> 8}.${each & 255}`, 60_000);
    await clock.pass(banWatchLimits.lookMs);
    expect(lines).toHaveLength(banWatchLimits.linesPerSecond);
    admission.ban('192.0.2.1', 60_000);
    await clock.pass(banWatchLimits.lookMs);
    expect(lines.at(-1)).toMatchObject({
      source: '192.0.2.1',
      suppressed: 500 - banWatchLimits.linesPerSecond,
    });
    expect(bans.list(5)).toMatchObject({ bans: { length: 5 }, active: 501 });
    bans.close();
  });
});

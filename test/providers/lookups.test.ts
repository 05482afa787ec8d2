/** Names that sessions ask for: asked once, remembered, bounded, and given up. */
import { describe, expect, test } from 'vitest';
import { type Found, Lookups, sessionLookupLimits } from '../../src/providers/lookups.js';
import { HandClock, settled } from '../support/clock.js';

const { inFlightMax, perClientMax, namesMax, addressesMax, keepMsMin } = sessionLookupLimits;

class Names {
  readonly clock = new HandClock();
  readonly asked: string[] = [];
  readonly told: Found[] = [];
  hits = 0;
  ttlMs: number | null = 60_000;
  /** Look-ups that have not been answered. */
  readonly open = new Map<string, { answer: (addresses: string[]) => void; fail: (code: string) => void }>();
  readonly lookups = new Lookups({
    clock: this.clock,
    lookedUp: (isKnown) => {
      this.hits += Number(isKnown);
    },
    lookup: (name) => {
      this.asked.push(name);
      return new Promise((resolve, reject) => {
        this.open.set(name, {
          answer: (value) => resolve({ value, ttlMs: this.ttlMs }),
          fail: (code) => reject(Object.assign(new Error(code), { code })),
        });
      });
    },
  });

  ask(name: string, client = 'c', timeoutMs = 1000): Found | (() => void) {
    const question = { name, client, timeoutMs, keepMsMax: 300_000 };
    return this.lookups.ask(question, (found) => this.told.push(found));
  }

  async answer(name: string, ...addresses: string[]): Promise<void> {
    this.open.get(name)?.answer(addresses);
    await settled();
  }

  async fail(name: string, code: string): Promise<void> {
    this.open.get(name)?.fail(code);
    await settled();
  }
}

const addresses = (...all: string[]): Found => ({ verdict: 'addresses', addresses: all });
const BUSY: Found = { verdict: 'busy' };

describe('a name', () => {
  test('is looked up once, for all who ask meanwhile', async () => {
    const names = new Names();
    names.ask('a');
    names.ask('a');
    expect(names.told).toEqual([]);
    await names.answer('a', '192.0.2.1');
    expect(names.asked).toEqual(['a']);
    expect(names.told).toEqual([addresses('192.0.2.1'), addresses('192.0.2.1')]);
    expect(names.clock.waiting).toBe(0);
  });

  test.each([
    { why: 'its time to live', ttlMs: 60_000, untilMs: 60_000 },
    { why: 'the longest time that was asked for', ttlMs: 3_600_000, untilMs: 300_000 },
    { why: 'the shortest time, for one without', ttlMs: null, untilMs: keepMsMin },
    { why: 'the shortest time, for one of 0', ttlMs: 0, untilMs: keepMsMin },
  ])('is remembered for $why', async ({ ttlMs, untilMs }) => {
    const names = new Names();
    names.ttlMs = ttlMs;
    names.ask('a');
    await names.answer('a', '192.0.2.1');
    await names.clock.advance(untilMs - 1);
    expect(names.ask('a')).toEqual(addresses('192.0.2.1'));
    expect(names.hits).toBe(1);
    await names.clock.advance(1);
    expect(names.ask('a')).toBeTypeOf('function');
    expect(names.asked).toEqual(['a', 'a']);
  });

  test('that has no address is asked for again soon', async () => {
    const names = new Names();
    names.ask('a');
    await names.fail('a', 'ENOTFOUND');
    expect(names.told).toEqual([{ verdict: 'none', error: 'ENOTFOUND' }]);
    expect(names.ask('a')).toEqual({ verdict: 'none', error: 'ENOTFOUND' });
    await names.clock.advance(keepMsMin);
    expect(names.ask('a')).toBeTypeOf('function');
  });

  test('is late after the time of who asks, and its answer still serves the next one', async () => {
    const names = new Names();
    names.ask('a', 'c', 100);
    names.ask('a', 'c', 200);
    await names.clock.advance(100);
    expect(names.told).toEqual([{ verdict: 'late' }]);
    await names.answer('a', '192.0.2.1');
    expect(names.told).toEqual([{ verdict: 'late' }, addresses('192.0.2.1')]);
    expect(names.ask('a')).toEqual(addresses('192.0.2.1'));
  });

  test('is not told to who has given up', async () => {
    const names = new Names();
    const giveUp = names.ask('a') as () => void;
    giveUp();
    expect(names.clock.waiting).toBe(0);
    await names.answer('a', '192.0.2.1');
    expect(names.told).toEqual([]);
  });

  test('has a bounded number of addresses', async () => {
    const names = new Names();
    names.ask('a');
    const all = Array.from({ length: 2 * addressesMax }, (_, last) => `2001:db8::${last.toString(16)}`);
    await names.answer('a', ...all);
    expect(names.told).toEqual([addresses(...all.slice(0, addressesMax))]);
  });
});

describe('limits', () => {
  /** `count` names, each of a client of its own. */
  const fill = (names: Names, count: number) => {
    for (let at = 0; at < count; at += 1) names.ask(`n${at}`, `c${at}`);
  };

  test('so many look-ups at once, and another one when one has ended', async () => {
    const names = new Names();
    fill(names, inFlightMax);
    expect(names.ask('more')).toEqual(BUSY);
    expect(names.ask('n0')).toBeTypeOf('function');
    await names.answer('n7', '192.0.2.1');
    expect(names.ask('more')).toBeTypeOf('function');
    expect(names.ask('still more')).toEqual(BUSY);
  });

  test('a part of them for one client, whether it still waits or not', async () => {
    const names = new Names();
    for (let at = 0; at < perClientMax; at += 1) (names.ask(`n${at}`) as () => void)();
    expect(names.ask('more')).toEqual(BUSY);
    expect(names.ask('more', 'another')).toBeTypeOf('function');
    await names.answer('n0', '192.0.2.1');
    expect(names.ask('yet more')).toBeTypeOf('function');
  });

  test('so many names are remembered, and the oldest are forgotten', async () => {
    const names = new Names();
    for (let at = 0; at <= namesMax; at += 1) {
      names.ask(`n${at}`);
      await names.answer(`n${at}`, '192.0.2.1');
    }
    expect(names.ask('n1')).toEqual(addresses('192.0.2.1'));
    expect(names.ask('n0')).toBeTypeOf('function');
  });
});

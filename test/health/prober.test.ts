/** When whom is asked, on a clock moved by hand. */
import { expect, test } from 'vitest';
import { createRandom } from '../../src/base/random.js';
import type { Outcome } from '../../src/health/check.js';
import { Prober, type ProbeTarget, proberLimits } from '../../src/health/prober.js';
import type { SocketAddress } from '../../src/model/address.js';
import { HandClock, settled } from '../support/clock.js';

const settings = { type: 'tcp', interval: 1000, timeout: 100, rise: 2, fall: 3, fast_interval: 0, jitter: 0 };

const target = (id: number, more: Partial<ProbeTarget> = {}): ProbeTarget => ({
  id,
  upstream: 'web',
  endpoint: `10.0.0.${id}:80`,
  addresses: [{ host: `10.0.0.${id}`, port: 80 }],
  serverName: `10.0.0.${id}`,
  settings,
  ...more,
});

interface Asked {
  readonly id: number;
  readonly address: SocketAddress;
  readonly atMs: number;
  readonly signal: AbortSignal;
  answer(outcome: Outcome): void;
}

/** A prober whose probes are answered by hand, or at once. */
function setUp(answerOf?: (asked: Asked) => Outcome) {
  const clock = new HandClock();
  const asked: Asked[] = [];
  const answers: { id: number; outcome: Outcome; tookMs: number }[] = [];
  const prober = new Prober({
    clock,
    random: () => 0.5,
    ask: ({ id }, address, signal) =>
      new Promise((resolve) => {
        const one = { id, address, atMs: clock.nowMs(), signal, answer: resolve };
        asked.push(one);
        signal.addEventListener('abort', () => resolve({ well: false, why: 'called off' }));
        if (answerOf) resolve(answerOf(one));
      }),
    answered({ id, settings: { interval } }, { outcome, tookMs }) {
      answers.push({ id, outcome, tookMs });
      return interval;
    },
  });
  return { clock, asked, answers, prober };
}

const well: Outcome = { well: true };
const bad: Outcome = { well: false, why: 'refused' };

test('from the start of one probe to the next is an interval, however long the answer takes', async () => {
  const { clock, asked, prober } = setUp();
  prober.follow([target(1)]);
  await clock.advance(500);
  expect(asked.map(({ atMs }) => atMs)).toEqual([500]);
  await clock.advance(300);
  asked[0]?.answer(well);
  await settled();
  await clock.advance(699);
  expect(asked).toHaveLength(1);
  await clock.advance(1);
  expect(asked.map(({ atMs }) => atMs)).toEqual([500, 1500]);
  // Longer than the interval: then at once, and never two.
  await clock.advance(5000);
  expect(asked).toHaveLength(2);
  asked[1]?.answer(well);
  await settled();
  await clock.advance(0);
  expect(asked).toHaveLength(3);
});

test('one that stays with the same settings goes on; a changed one is asked anew, its probe called off', async () => {
  const { clock, asked, answers, prober } = setUp();
  prober.follow([target(1), target(2)]);
  await clock.advance(500);
  expect(asked).toHaveLength(2);
  prober.follow([target(1), target(2, { settings: { ...settings, type: 'http' } })]);
  await settled();
  expect(asked.map(({ signal }) => signal.aborted)).toEqual([false, true]);
  expect(answers).toEqual([]);
  await clock.advance(500);
  expect(asked.map(({ id }) => id)).toEqual([1, 2, 2]);
});

test('one that goes is asked no more, and its answer is not heard', async () => {
  const { clock, asked, answers, prober } = setUp();
  prober.follow([target(1), target(2)]);
  await clock.advance(500);
  prober.follow([target(2)]);
  asked[1]?.answer(well);
  await settled();
  await clock.advance(10_000);
  expect(asked.filter(({ id }) => id === 1)).toHaveLength(1);
  expect(answers.every(({ id }) => id === 2)).toBe(true);
  prober.close();
  await settled();
  expect([prober.asking, clock.waiting]).toEqual([0, 0]);
});

test('one without an address waits for it, and other addresses are asked from the next probe on', async () => {
  const { clock, asked, prober } = setUp(() => well);
  prober.follow([target(1, { addresses: [] })]);
  await clock.advance(5000);
  expect(asked).toEqual([]);
  prober.follow([target(1)]);
  await clock.advance(500);
  prober.follow([target(1, { addresses: [{ host: '10.9.9.9', port: 80 }] })]);
  await clock.advance(1000);
  expect(asked.map(({ address }) => address)).toEqual([
    { host: '10.0.0.1', port: 80 },
    { host: '10.9.9.9', port: 80 },
  ]);
});

test('it is well when one of its addresses is; that one is asked first from then on', async () => {
  const addresses = ['a', 'b', 'c'].map((host) => ({ host, port: 1 }));
  const { clock, asked, answers, prober } = setUp(({ address }) =>
    'host' in address && address.host === 'b' ? well : bad,
  );
  prober.follow([target(1, { addresses })]);
  await clock.advance(500);
  expect(asked.map(({ address }) => address)).toEqual(addresses);
  await clock.advance(1000);
  expect(asked.slice(3).map(({ address }) => address)).toEqual([addresses[1]]);
  expect(answers.map(({ outcome }) => outcome.well)).toEqual([true, true]);
});

test('it is not well when none is, and the first address says why', async () => {
  const addresses = ['a', 'b'].map((host) => ({ host, port: 1 }));
  const { clock, answers, prober } = setUp(({ address }) => ({
    well: false,
    why: `${'host' in address && address.host} refused`,
  }));
  prober.follow([target(1, { addresses })]);
  await clock.advance(500);
  expect(answers.map(({ outcome }) => outcome)).toEqual([{ well: false, why: 'a refused' }]);
});

test('so many at once and no more, never two of one endpoint, and everybody has a turn', async () => {
  const { clock, asked, answers, prober } = setUp();
  const random = createRandom(7);
  prober.follow(Array.from({ length: 1000 }, (_, index) => target(index + 1)));
  const open = new Set<Asked>();
  let seen = 0;
  for (let round = 0; round < 400; round += 1) {
    await clock.advance(25);
    for (const one of asked.slice(seen)) open.add(one);
    seen = asked.length;
    expect(open.size).toBeLessThanOrEqual(proberLimits.probesMax);
    expect(new Set([...open].map(({ id }) => id)).size).toBe(open.size);
    for (const one of open) {
      if (random(3) > 0) continue;
      one.answer(random(2) === 0 ? well : bad);
      open.delete(one);
    }
  }
  expect(new Set(answers.map(({ id }) => id)).size).toBe(1000);
});

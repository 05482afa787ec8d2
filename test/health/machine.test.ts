/** The state machine of active checks: cases, then properties over random answers beside a naive model. */
import { describe, expect, test } from 'vitest';
import { createRandom } from '../../src/base/random.js';
import type { Outcome } from '../../src/health/check.js';
import { type Health, isDown, isUsable, newHealth, resettled, step } from '../../src/health/machine.js';
import { WHOLE_SHARE } from '../../src/health/table.js';

const settings = { rise: 2, fall: 3, interval: 10_000, fast_interval: 1000, jitter: 0 };
const well: Outcome = { well: true };
const bad: Outcome = { well: false, why: 'refused the connection' };

/** `+`: a good answer, `-`: a bad one. Returns up (`U`) or down (`d`) after each. */
function play(answers: string, from = newHealth(0), own = settings): { shown: string; health: Health } {
  let health = from;
  let shown = '';
  for (const [index, answer] of [...answers].entries()) {
    ({ health } = step(health, answer === '+' ? well : bad, index + 1, own, () => 0));
    shown += health.up ? 'U' : 'd';
  }
  return { shown, health };
}

test.each([
  { why: 'up at once, and the first bad answer of all takes it down', answers: '-', shown: 'd' },
  { why: 'once it has answered, `fall` in a row are needed', answers: '+---', shown: 'UUUd' },
  { why: 'a good answer begins the count anew', answers: '+--+--+---', shown: 'UUUUUUUUUd' },
  { why: '`rise` in a row bring it back', answers: '+---++', shown: 'UUUddU' },
  { why: 'a bad answer between them begins anew', answers: '+---+-+-++', shown: 'UUUddddddU' },
  { why: 'back, it needs `fall` bad ones again', answers: '-++--+---', shown: 'ddUUUUUUd' },
])('$why: $answers', ({ answers, shown }) => expect(play(answers).shown).toBe(shown));

test('why and since when it is down; nothing of it once it is up', () => {
  expect(play('+---').health).toMatchObject({ up: false, why: bad.well ? '' : bad.why, sinceMs: 4 });
  expect(play('+---++').health).toMatchObject({ up: true, why: null, sinceMs: 6 });
});

test('each change is one event', () => {
  let health = newHealth(0);
  const seen: string[] = [];
  for (const answer of '+---+++--+---') {
    const stepped = step(health, answer === '+' ? well : bad, 1, settings, () => 0);
    health = stepped.health;
    seen.push(...stepped.events);
  }
  expect(seen).toEqual(['down', 'up', 'down']);
});

test('other settings keep the state and begin the count anew', () => {
  const { health } = play('+--');
  expect(play('--', resettled(health, false)).shown).toBe('UU');
  expect(play('---', resettled(health, false)).shown).toBe('UUd');
  expect(play('+', resettled(play('+---').health, false), { ...settings, rise: 1 }).shown).toBe('U');
});

describe('the wait for the next probe', () => {
  const wait = (answers: string, random = 0, own = settings) =>
    step(play(answers.slice(0, -1)).health, answers.endsWith('+') ? well : bad, 1, own, () => random).nextMs;

  test.each([
    { why: 'settled and up', answers: '++', ms: 10_000 },
    { why: 'going down', answers: '+-', ms: 1000 },
    { why: 'settled and down', answers: '+----', ms: 10_000 },
    { why: 'coming up', answers: '+---+', ms: 1000 },
    { why: 'changed just now', answers: '+---', ms: 10_000 },
  ])('$why', ({ answers, ms }) => expect(wait(answers)).toBe(ms));

  test('without a fast interval it is always the same', () =>
    expect(wait('+-', 0, { ...settings, fast_interval: 0 })).toBe(10_000));
  test('jitter only shortens it', () => {
    const own = { ...settings, jitter: 50 };
    expect([0, 0.5, 0.999].map((random) => Math.round(wait('++', random, own)))).toEqual([
      10_000, 7500, 5005,
    ]);
  });
});

describe('what an agent asks', () => {
  const say = (health: Health, outcome: Outcome) => step(health, outcome, 9, settings, () => 0);

  test('its share stays until it says another', () => {
    const first = say(newHealth(0), { well: true, share: 64 });
    expect([first.health.share, first.events]).toEqual([64, ['asked']]);
    const second = say(first.health, well);
    expect([second.health.share, second.events]).toEqual([64, []]);
    expect(say(second.health, { well: true, share: WHOLE_SHARE }).health.share).toBe(WHOLE_SHARE);
  });

  test('drained it is up, has no new sessions, and is no event of going down', () => {
    const { health, events } = say(newHealth(0), { well: true, state: 'drain' });
    expect([isUsable(health), isDown(health), events]).toEqual([false, false, ['asked']]);
  });

  test('maintenance is down, and ready is up again', () => {
    const first = say(newHealth(0), { well: true, state: 'maint' });
    expect([isUsable(first.health), isDown(first.health), first.events]).toEqual([
      false,
      true,
      ['down', 'asked'],
    ]);
    const second = say(first.health, { well: true, state: 'ready' });
    expect([isUsable(second.health), second.events]).toEqual([true, ['up', 'asked']]);
  });
});

describe('properties', () => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8])('over 2,000 random answers (seed %i)', (seed) => {
    const random = createRandom(seed);
    const own = { ...settings, rise: 1 + random(4), fall: 1 + random(4), jitter: random(50) };
    let health = newHealth(0);
    const tail: boolean[] = [];
    let downs = 0;
    for (let now = 1; now <= 2000; now += 1) {
      const isWell = random(100) < 60;
      const before = health;
      const stepped = step(health, isWell ? well : bad, now, own, () => random(1000) / 1000);
      health = stepped.health;
      tail.push(isWell);
      // Model: it changes when the last answers, all since the last change, contradict it, and only then.
      const needed = before.up ? (before.isNew ? 1 : own.fall) : own.rise;
      const last = tail.slice(-needed);
      const changes = last.length === needed && last.every((each) => each !== before.up);
      expect(health.up).toBe(changes ? !before.up : before.up);
      if (changes) tail.length = 0;
      expect(stepped.events).toEqual(changes ? [health.up ? 'up' : 'down'] : []);
      if (changes && !health.up) downs += 1;
      expect(health.sinceMs).toBe(changes ? now : before.sinceMs);
      expect(health.against).toBeLessThan(Math.max(own.rise, own.fall));
      expect(stepped.nextMs).toBeGreaterThan(0);
      expect(stepped.nextMs).toBeLessThanOrEqual(own.interval);
      if (!health.up) expect(health.why).not.toBeNull();
      else if (health.against === 0) expect(health.why).toBeNull();
    }
    expect(downs).toBeGreaterThan(0);
  });
});

/** Whether somebody is a user: what is computed, what is remembered, and what guessing costs. */
import { describe, expect, test } from 'vitest';
import { brakeLimits } from '../../../src/forward-proxy/users/brakes.js';
import { gateLimits, type Judgement, UserGate } from '../../../src/forward-proxy/users/gate.js';
import { hashText } from '../../../src/forward-proxy/users/phc.js';
import { type Derive, hashPassword } from '../../../src/forward-proxy/users/scrypt.js';
import { userTable } from '../../../src/forward-proxy/users/table.js';
import { verifiedLimits } from '../../../src/forward-proxy/users/verified.js';

const costs = { ln: 14, r: 8, p: 1 };
const salt = Buffer.alloc(16, 7);

/** In place of scrypt: the password itself, repeated. */
const keyOf = (password: string): Buffer => Buffer.alloc(32, `${password} `);
const hashOf = (password: string): string => hashText({ ...costs, salt, hash: keyOf(password) });

interface Asked {
  readonly ln: number;
  readonly finish: () => void;
}

/** A gate whose computations the test ends. */
function stage(nowMs = { value: 0 }) {
  const computing: Asked[] = [];
  let asked = 0;
  const derive: Derive = (password, _, { ln }) => {
    asked += 1;
    const text = Buffer.from(password).toString();
    return new Promise((done) => computing.push({ ln, finish: () => done(keyOf(text)) }));
  };
  const gate = new UserGate({ nowMs: () => nowMs.value, derive });
  const users = userTable([
    { name: 'alice', hash: hashOf('right'), upstream: 0 },
    { name: 'bob', hash: hashOf('other'), upstream: 1 },
  ]);
  const ask = (name: string, password: string, source = '192.0.2.1', table = users) =>
    gate.verify(table, { name, password: Buffer.from(password) }, source);
  /** Ends all computations until the answer is there. */
  const answer = async (judgement: Judgement | Promise<Judgement>): Promise<Judgement> => {
    let settled: Judgement | null = null;
    const waiting = Promise.resolve(judgement).then((given) => {
      settled = given;
    });
    while (settled === null) {
      await new Promise((next) => setImmediate(next));
      for (const { finish } of computing.splice(0)) finish();
    }
    await waiting;
    return settled;
  };
  const verdict = async (...who: Parameters<typeof ask>) => (await answer(ask(...who))).verdict;
  return { nowMs, gate, users, ask, answer, verdict, computing, asked: () => asked };
}

test('with scrypt itself: the right password, a wrong one, nobody', async () => {
  const gate = new UserGate({ nowMs: () => 0 });
  const users = userTable([
    { name: 'alice', hash: await hashPassword(Buffer.from('right'), costs), upstream: 3 },
  ]);
  const ask = (name: string, password: string) =>
    gate.verify(users, { name, password: Buffer.from(password) }, '192.0.2.1');
  expect(await ask('alice', 'right')).toEqual({
    verdict: 'user',
    user: expect.objectContaining({ upstream: 3 }),
  });
  expect(await ask('alice', 'wrong')).toEqual({ verdict: 'wrong' });
  expect(await ask('mallory', 'right')).toEqual({ verdict: 'wrong' });
});

describe('what is computed', () => {
  test('the right password is, once in ten minutes', async () => {
    const { nowMs, ask, verdict, asked } = stage();
    expect(await verdict('alice', 'right')).toBe('user');
    expect(ask('alice', 'right')).toMatchObject({ verdict: 'user' });
    nowMs.value = verifiedLimits.ageMsMax;
    expect(await verdict('alice', 'right')).toBe('user');
    expect(asked()).toBe(2);
  });

  test('many tunnels that are opened at once share one', async () => {
    const { ask, answer, asked } = stage();
    const all = Array.from({ length: 6 }, () => ask('alice', 'right'));
    for (const each of all) expect(await answer(each)).toMatchObject({ verdict: 'user' });
    expect(asked()).toBe(1);
  });

  test('a name that nobody has costs what a wrong password does, whatever is guessed', async () => {
    const { gate, answer, computing } = stage();
    const mixed = userTable([
      { name: 'alice', hash: hashOf('right'), upstream: 0 },
      { name: 'bob', hash: hashText({ ln: 15, r: 8, p: 1, salt, hash: keyOf('x') }), upstream: 0 },
    ]);
    const spent = async (name: string, password: string, source: string) => {
      const judged = gate.verify(mixed, { name, password: Buffer.from(password) }, source);
      await new Promise((next) => setImmediate(next));
      const { ln } = computing[0] as Asked;
      expect(await answer(judged)).toEqual({ verdict: 'wrong' });
      return ln;
    };
    const names = Array.from({ length: 20 }, (_, index) => `nobody-${index}`);
    const first: number[] = [];
    for (const [index, name] of names.entries()) first.push(await spent(name, 'a', `192.0.2.${index}`));
    for (const [index, name] of names.entries())
      expect(await spent(name, 'b', `198.51.100.${index}`)).toBe(first[index]);
    expect(new Set(first)).toEqual(new Set([14, 15]));
  });

  test('the same wrong password again is not, and costs no patience', async () => {
    const { verdict, asked } = stage();
    for (let tries = 0; tries < 20; tries += 1) expect(await verdict('alice', 'stale')).toBe('wrong');
    expect(asked()).toBe(1);
    expect(await verdict('alice', 'right')).toBe('user');
  });

  test('a changed password is another one: the old one is not taken from memory', async () => {
    const { verdict } = stage();
    expect(await verdict('alice', 'right')).toBe('user');
    const changed = userTable([{ name: 'alice', hash: hashOf('new'), upstream: 0 }]);
    expect(await verdict('alice', 'right', '192.0.2.1', changed)).toBe('wrong');
    expect(await verdict('alice', 'new', '192.0.2.1', changed)).toBe('user');
    const gone = userTable([]);
    expect(await verdict('alice', 'new', '192.0.2.2', gone)).toBe('wrong');
  });

  test('nothing where the password is longer than any', () => {
    const { ask, asked } = stage();
    expect(ask('alice', 'x'.repeat(gateLimits.passwordBytesMax + 1))).toEqual({ verdict: 'wrong' });
    expect(asked()).toBe(0);
  });

  test('nothing where memory is short: it is not held against the source', async () => {
    const gate = new UserGate({ nowMs: () => 0, derive: () => Promise.reject(new Error('no memory')) });
    const { users } = stage();
    for (let tries = 0; tries <= brakeLimits.freeMax; tries += 1)
      expect(await gate.verify(users, { name: 'alice', password: Buffer.of(tries) }, '192.0.2.1')).toEqual({
        verdict: 'busy',
      });
  });
});

describe('guessing', () => {
  const wrongGuesses = async (
    { verdict }: ReturnType<typeof stage>,
    count: number,
    source?: string,
    from = 0,
  ) => {
    const verdicts = [];
    for (let guess = 0; guess < count; guess += 1)
      verdicts.push(await verdict('alice', `guess ${from + guess}`, source));
    return verdicts;
  };

  test('costs nothing a few times, then a wait that doubles', async () => {
    const on = stage();
    expect(await wrongGuesses(on, brakeLimits.freeMax + 1)).toEqual(
      Array(brakeLimits.freeMax + 1).fill('wrong'),
    );
    expect(on.ask('alice', 'guess')).toEqual({ verdict: 'braked', waitMs: brakeLimits.waitMs });
    expect(on.ask('alice', 'right')).toMatchObject({ verdict: 'braked' });
    on.nowMs.value += brakeLimits.waitMs;
    expect(await on.verdict('alice', 'guess')).toBe('wrong');
    expect(on.ask('alice', 'another')).toEqual({ verdict: 'braked', waitMs: 2 * brakeLimits.waitMs });
  });

  test('waits a minute at most, and is forgiven in time', async () => {
    const on = stage();
    for (let guess = 0; guess < 40; guess += 1) {
      const judged = await on.answer(on.ask('alice', `guess ${guess}`));
      if (judged.verdict === 'braked') {
        expect(judged.waitMs).toBeLessThanOrEqual(brakeLimits.waitMsMax);
        on.nowMs.value += judged.waitMs;
      }
    }
    on.nowMs.value += 40 * brakeLimits.forgiveMs;
    expect(await wrongGuesses(on, brakeLimits.freeMax, undefined, 100)).not.toContain('braked');
  });

  test('brakes its source alone, which in IPv6 is the /64', async () => {
    const on = stage();
    await wrongGuesses(on, brakeLimits.freeMax + 1, '2001:db8:0:1::1');
    expect(await on.verdict('alice', 'right', '2001:db8:0:1:ffff::9')).toBe('braked');
    expect(await on.verdict('alice', 'right', '2001:db8:0:2::1')).toBe('user');
    await wrongGuesses(on, brakeLimits.freeMax + 1, '::ffff:192.0.2.7', 50);
    expect(await on.verdict('bob', 'other', '192.0.2.7')).toBe('braked');
  });

  test('does not stop who has been verified at the same source', async () => {
    const on = stage();
    expect(await on.verdict('alice', 'right')).toBe('user');
    await wrongGuesses(on, brakeLimits.freeMax + 1);
    expect(on.ask('alice', 'right')).toMatchObject({ verdict: 'user' });
    expect(on.ask('bob', 'other')).toMatchObject({ verdict: 'braked' });
  });

  test('many at once is no way around', async () => {
    const on = stage();
    const all = Array.from({ length: gateLimits.ofSourceMax }, (_, guess) =>
      on.ask('alice', `guess ${guess}`),
    );
    const verdicts = await Promise.all(all.map(async (each) => (await on.answer(each)).verdict));
    expect(verdicts.filter((each) => each === 'wrong')).toHaveLength(brakeLimits.freeMax + 1);
    expect(on.asked()).toBe(brakeLimits.freeMax + 1);
  });

  test('is remembered of so many sources: the one that has guessed least lately is forgotten', async () => {
    const on = stage();
    await wrongGuesses(on, brakeLimits.freeMax + 1, '10.0.0.0');
    for (let source = 1; source <= brakeLimits.sourcesMax; source += 1)
      await on.verdict('alice', 'guess', `10.1.${source >> 8}.${source & 255}`);
    expect(await on.verdict('alice', 'right', '10.0.0.0')).toBe('user');
  });
});

describe('who waits', () => {
  test('two are computed at once, and each source waits for its own', async () => {
    const { ask, computing } = stage();
    for (const source of ['a', 'b', 'c', 'c']) void ask('alice', `${source}`, source);
    void ask('bob', 'second of a', 'a');
    await new Promise((next) => setImmediate(next));
    expect(computing).toHaveLength(gateLimits.atOnce);
  });

  test('one source fills its own line, not that of others', async () => {
    const { ask, answer } = stage();
    const all = Array.from({ length: gateLimits.ofSourceMax }, () => ask('alice', 'right'));
    expect(ask('alice', 'right')).toEqual({ verdict: 'busy' });
    const other = ask('bob', 'other', '198.51.100.1');
    expect(await answer(other)).toMatchObject({ verdict: 'user' });
    for (const each of all) expect(await answer(each)).toMatchObject({ verdict: 'user' });
  });

  test('so many in all, one more is busy, and there is room again', async () => {
    const { ask, answer } = stage();
    const all = Array.from({ length: gateLimits.inAllMax }, (_, source) =>
      ask('alice', 'right', `10.0.0.${source}`),
    );
    expect(ask('bob', 'other', '10.0.1.1')).toEqual({ verdict: 'busy' });
    for (const each of all) expect(await answer(each)).toMatchObject({ verdict: 'user' });
    expect(await answer(ask('bob', 'other', '10.0.1.1'))).toMatchObject({ verdict: 'user' });
  });

  test('a password is read before the engine overwrites it', async () => {
    const { gate, users, answer } = stage();
    const arena = Buffer.from('right');
    const judged = gate.verify(users, { name: 'alice', password: arena }, '192.0.2.1');
    arena.fill(0);
    expect(await answer(judged)).toMatchObject({ verdict: 'user' });
  });
});

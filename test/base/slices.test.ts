import { expect, test } from 'vitest';
import { SLICE_MS, Slices } from '../../src/base/slices.js';

/** Every look at an item takes `itemMs`; `turns` has the time since the turn before. */
function run(items: number, itemMs: number) {
  let nowMs = 0;
  let beganMs = 0;
  const turns: number[] = [];
  let rests = 0;
  const turn = async () => {
    turns.push(nowMs - beganMs);
    nowMs += 100; // what others do meanwhile does not count
    beganMs = nowMs;
  };
  const rest = () => {
    rests += 1;
    return turn();
  };
  const slices = new Slices({ nowMs: () => nowMs, turn, rest });
  const work = slices.map(
    Array.from({ length: items }, (_, index) => index),
    (item) => {
      nowMs += itemMs;
      return item * 2;
    },
  );
  return { turns, work, rests: () => rests };
}

test('results are in the order of the items, with the index of each', async () => {
  const slices = new Slices({ nowMs: () => 0, turn: async () => {}, rest: async () => {} });
  const seen = await slices.map(['a', 'b'], async (item, index) => `${item}${index}`);
  expect(seen).toEqual(['a0', 'b1']);
  expect(await run(3, 0).work).toEqual([0, 2, 4]);
});

test('no slice is longer than it may be and one item', async () => {
  const { turns, work } = run(100, SLICE_MS / 4);
  await work;
  expect(turns.length).toBe(25);
  for (const ms of turns) expect(ms).toBe(SLICE_MS);
});

test('short work has no turn in between', async () => {
  const { turns, work } = run(100, SLICE_MS / 200);
  await work;
  expect(turns).toEqual([]);
});

test('a failure ends it', async () => {
  const slices = new Slices({ nowMs: () => 0, turn: async () => {}, rest: async () => {} });
  const done: number[] = [];
  const work = slices.map([1, 2, 3], (item) => {
    if (item === 2) throw new Error('two');
    done.push(item);
  });
  await expect(work).rejects.toThrow('two');
  expect(done).toEqual([1]);
});

test('long work rests between slices, short work does not', async () => {
  const short = run(8, SLICE_MS);
  await short.work;
  expect([short.turns.length, short.rests()]).toEqual([8, 0]);
  const long = run(20, SLICE_MS);
  await long.work;
  expect([long.turns.length, long.rests()]).toEqual([20, 12]);
});

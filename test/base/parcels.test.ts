import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { fromParcels, inParcels, sharing, sharingWhole } from '../../src/base/parcels.js';
import { Slices } from '../../src/base/slices.js';

/** Each look at the clock is a millisecond later than the one before. */
function passing() {
  let nowMs = 0;
  let turns = 0;
  const turn = async () => {
    turns += 1;
  };
  const slices = new Slices({ nowMs: () => nowMs++, turn, rest: turn });
  return { slices, turns: () => turns };
}

const numbered = (count: number) => Array.from({ length: count }, (_, index) => ({ index }));

test.each([0, 1, 32, 33, 1000])('an array of %i arrives as it was sent', async (count) => {
  const whole = { name: 'plan', items: numbered(count), few: [1, 2], nested: { items: numbered(count) } };
  const { head, rest } = inParcels(whole);
  expect(await fromParcels(head, rest, passing().slices)).toEqual(whole);
});

test('a message has no long array, and the object that was sent keeps its own', () => {
  const whole = { items: numbered(1000) };
  const { head, rest } = inParcels(whole);
  expect(head.items).toEqual([]);
  expect(whole.items).toHaveLength(1000);
  const piece = receiveMessageOnPort(rest)?.message;
  expect(piece.items.length).toBeLessThan(50);
  rest.close();
});

test('the thread serves others between pieces', async () => {
  const { head, rest } = inParcels({ items: numbered(1000) });
  const { slices, turns } = passing();
  await fromParcels(head, rest, slices);
  expect(turns()).toBeGreaterThan(5);
});

test('pieces wait in a port that has been sent on', async () => {
  const whole = { items: numbered(100) };
  const { head, rest } = inParcels(whole);
  const { port1, port2 } = new MessageChannel();
  port1.postMessage({ head, rest }, [rest]);
  const received = receiveMessageOnPort(port2)?.message;
  expect(await fromParcels(received.head, received.rest, passing().slices)).toEqual(whole);
  port1.close();
});

describe('what the receiver has already', () => {
  const before = { name: 'first', items: numbered(1000), few: numbered(2) };
  const changes: [string, (items: { index: number }[]) => { index: number }[]][] = [
    ['nothing', (items) => items],
    ['one item', (items) => items.with(500, { index: -1 })],
    ['the first and the last', (items) => items.with(0, { index: -1 }).with(999, { index: -2 })],
    ['every other', (items) => items.map((item, at) => (at % 2 === 0 ? item : { index: -at }))],
    ['items at the end', (items) => [...items, ...numbered(50)]],
    ['an item at the start', (items) => [{ index: -1 }, ...items]],
    ['half of them', (items) => items.slice(0, 500)],
    ['all of them', (items) => items.map(({ index }) => ({ index: -index - 1 }))],
  ];

  test.each(changes)('arrives with %s changed', async (_, change) => {
    const received = structuredClone(before);
    const items = sharing(change(numbered(1000)), before.items);
    const whole = { name: 'next', items, few: numbered(2) };
    const { head, rest } = inParcels(whole, before);
    const arrived = await fromParcels(head, rest, passing().slices, received);
    expect(arrived).toEqual(whole);
    for (const [at, item] of arrived.items.entries())
      expect(item === received.items[at]).toBe(whole.items[at] === before.items[at]);
  });

  test('is not sent again', () => {
    const items = sharing(numbered(1000).with(700, { index: -1 }), before.items);
    const whole = { ...before, items };
    const { rest } = inParcels(whole, before);
    const pieces = [];
    for (let piece = receiveMessageOnPort(rest); piece !== undefined; piece = receiveMessageOnPort(rest))
      pieces.push(piece.message);
    rest.close();
    expect(pieces).toEqual([
      { key: 'items', same: { from: 0, to: 700 } },
      { key: 'items', items: [{ index: -1 }] },
      { key: 'items', same: { from: 701, to: 1000 } },
    ]);
  });

  test('has to be there', async () => {
    const { head, rest } = inParcels(before, before);
    await expect(fromParcels(head, rest, passing().slices)).rejects.toThrow('nothing to take items from');
  });
});

describe('a list shared as a whole', () => {
  const before = numbered(40);

  test('is the one before when nothing of it has changed', () => {
    expect(sharingWhole(numbered(40), before)).toBe(before);
  });

  test('is itself when an item has', () => {
    const next = numbered(40).with(7, { index: -1 });
    expect(sharingWhole(next, before)).toBe(next);
  });
});

import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { fromParcels, inParcels } from '../../src/base/parcels.js';
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

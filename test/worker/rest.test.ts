/** A worker gives memory back when it has come to rest after a burst. */
import { expect, test } from 'vitest';
import { Rest, restLimits } from '../../src/worker/rest.js';

const { eventsMin, looks, eventsPerLook, looksToTrim } = restLimits;

/** What the looks say, without those that say nothing; `events`: before each. */
function told(rest: Rest, looksOf: number, events: number): string[] {
  return Array.from({ length: looksOf }, () => {
    rest.worked(events);
    return rest.look();
  }).filter((each) => each !== null);
}

test('once after a burst, in two steps', () => {
  const rest = new Rest();
  rest.worked(eventsMin);
  expect(rest.look()).toBeNull();
  expect(told(rest, looks - 1, 0)).toEqual([]);
  expect(rest.look()).toBe('collect');
  expect(told(rest, looksToTrim - 1, 0)).toEqual([]);
  expect(rest.look()).toBe('trim');
  expect(told(rest, 100, 0)).toEqual([]);
});

test('not while the burst goes on', () => {
  expect(told(new Rest(), 1000, eventsPerLook + 1)).toEqual([]);
});

test('memory is trimmed only once the next burst is over', () => {
  const rest = new Rest();
  rest.worked(eventsMin);
  expect(told(rest, looks + 1, 0)).toEqual(['collect']);
  expect(told(rest, 10 * looksToTrim, eventsPerLook + 1)).toEqual([]);
  expect(told(rest, looksToTrim, 0)).toEqual(['trim']);
});

test('few sessions now and then add up', () => {
  expect(told(new Rest(), eventsMin / eventsPerLook + looksToTrim, eventsPerLook)).toEqual([
    'collect',
    'trim',
  ]);
});

test('not after little work', () => {
  const rest = new Rest();
  rest.worked(eventsMin - 1);
  expect(told(rest, 100, 0)).toEqual([]);
});

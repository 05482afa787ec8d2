/** Counters of real workers while Plans are replaced under open sessions and threads die. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { native } from '../../src/addon.js';
import { total } from '../support/metrics.js';
import { echo, listenTcp, type Upstream } from '../support/tcp.js';
import { eventually } from '../support/wait.js';
import { limits } from '../worker/plane.js';
import { Books, histories, unbalanced, WORKERS, type World } from './books.js';
import { EnginePlane } from './engine-plane.js';

let server: Upstream;
beforeAll(async () => {
  server = await listenTcp(echo);
});
afterAll(() => server.close());

const tiers = native.bufferTiers(limits.bufferBytes);
const weights = { accept: 6, identify: 5, end: 4, die: 1 };

/** Sockets keep their index among the listeners. */
function worlds(): fc.Arbitrary<World> {
  const endpoints = [{ name: server.target }];
  return fc.record({
    listeners: fc.constant([{ name: 'front' }, { name: 'back' }]),
    protocols: fc.shuffledSubarray([{ id: 'alpha' }, { id: 'beta' }, { id: 'gamma' }], { minLength: 1 }),
    upstreams: fc.shuffledSubarray(
      ['web', 'mail'].map((name) => ({ name, endpoints })),
      { minLength: 1 },
    ),
  });
}

test('any sequence of Plans, sessions and deaths of workers', async () => {
  await fc.assert(
    fc.asyncProperty(histories(worlds(), weights, 40), async (steps) => {
      const plane = new EnginePlane();
      try {
        const books = new Books(plane);
        for (const step of steps) {
          await books.take(step);
          await eventually('the step to be counted', () => balances(books)).catch(() => {});
          expect(books.actual()).toEqual(books.expected());
          expect(plane.inUse()).toEqual(books.inUse());
          expect(unbalanced(plane.samples())).toEqual([]);
          for (const { name, count } of tiers)
            expect(total(plane.samples(), 'anyport_buffers', { tier: name })).toBe(count * WORKERS);
        }
      } finally {
        await plane.close();
      }
    }),
    { numRuns: 8, endOnFailure: true },
  );
});

const balances = (books: Books): boolean =>
  JSON.stringify(Object.entries(books.actual()).sort()) ===
  JSON.stringify(Object.entries(books.expected()).sort());

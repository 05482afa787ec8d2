import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { portShares } from './test/support/ports.js';
import { SlowFirst } from './test/support/slow-first.js';

/** Files that need for themselves what there is once; all others run side by side. */
export const alone = [
  'test/protocols/linear-time.test.ts', // the time of calls, compared
];

export default defineConfig({
  test: {
    testTimeout: 240_000,
    hookTimeout: 240_000,
    sequence: { sequencer: SlowFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'side by side',
          include: ['test/**/*.test.ts'],
          exclude: alone,
          // Each waits for servers, clients and deadlines for half of its time: two of them keep a core busy.
          maxWorkers: Math.min(2 * availableParallelism(), portShares),
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: 'alone', include: alone, fileParallelism: false, sequence: { groupOrder: 1 } },
      },
    ],
  },
});

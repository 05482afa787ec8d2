import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { portShares } from './test/support/ports.js';

/** Files that need for themselves what there is once; all others run side by side. */
export const alone = [
  'test/protocols/linear-time.test.ts', // the time of calls, compared
];

export default defineConfig({
  test: {
    testTimeout: 240_000,
    hookTimeout: 240_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'side by side',
          include: ['test/**/*.test.ts'],
          exclude: alone,
          // Most wait for a server, a client or a deadline: one more than there are cores keeps them busy.
          maxWorkers: Math.min(availableParallelism() + 1, portShares),
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

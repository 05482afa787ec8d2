import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Servers, load and the daemon share two cores: one file at a time keeps figures and failures readable.
    fileParallelism: false,
  },
});

import { defineConfig } from 'vitest/config';

/** Files that fail on purpose; test/runner/report.test.ts runs them. */
export default defineConfig({ test: { root: import.meta.dirname, include: ['*.fails.ts'] } });

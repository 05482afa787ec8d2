/** The endpoint takes a connection. */
import type { HealthCheck } from '../check.js';

export const tcp: HealthCheck = {
  words: 'takes a connection',
  over: 'tcp',
  options: () => ({}),
  run: async () => ({ well: true }),
};

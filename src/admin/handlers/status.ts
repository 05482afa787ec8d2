/** `status`: what runs, in one look. */
import { json } from '../answer.js';
import type { Route } from '../router.js';
import { ref } from '../schemas.js';

export const statusRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/api/v1/status',
    id: 'getStatus',
    summary: 'What runs: version, listeners, workers, last change, counts',
    answers: { 200: { words: 'The status.', schema: ref('Status') } },
    handle: (_, operations) => json(200, operations.status()),
  },
];

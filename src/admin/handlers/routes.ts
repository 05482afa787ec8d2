/** `routes`: which there are, where they lead, and who says so. */
import { json } from '../answer.js';
import type { Route } from '../router.js';
import { list, object } from '../schema.js';
import { ref } from '../schemas.js';

export const routeRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/api/v1/routes',
    id: 'listRoutes',
    summary: 'The routes in force: where they lead, and who says so',
    description: 'Those of protocols that have a target, of forwards and of the proxy, too.',
    answers: {
      200: { words: 'In the order in which they are asked.', schema: object({ routes: list(ref('Route')) }) },
    },
    handle: (_, operations) => json(200, { routes: operations.routes() }),
  },
];

/** `reload` and `drain`: what the signals SIGHUP and SIGTERM do. */
import { json } from '../answer.js';
import type { Route } from '../router.js';
import { ref } from '../schemas.js';
import { changeAnswer, changed, changeErrors } from './changes.js';

export const reloadRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: '/api/v1/reload',
    id: 'reload',
    summary: 'Reads the configuration file again, as SIGHUP does',
    description: 'Undoes what was changed through this interface, except weights and states of endpoints.',
    answers: { 200: changed },
    errors: changeErrors,
    handle: async (_, operations) => changeAnswer(await operations.reload(), true),
  },
];

export const drainRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: '/api/v1/drain',
    id: 'drain',
    summary: 'Stops accepting, lets sessions finish, then ends the process, as SIGTERM does',
    description:
      'Readiness turns false at once; accepting goes on for `drain_delay`. Asking again changes nothing.',
    answers: { 202: { words: 'It drains.', schema: ref('Drain') } },
    handle: (_, operations) => json(202, operations.drain()),
  },
];

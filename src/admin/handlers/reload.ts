/** `reload` and `drain`: what the signals SIGHUP and SIGTERM do. */
import type { Route } from '../router.js';
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

/** `config`: the configuration in force, as the file would say it. */

import type { Document } from '../../model/config.js';
import { json, refusedConfig } from '../answer.js';
import type { Route } from '../router.js';
import { list, object } from '../schema.js';
import { ref } from '../schemas.js';
import { changeAnswer, changed, changeErrors } from './changes.js';

const PATH = '/api/v1/config';

const whole = { words: "A whole configuration in the file's shape.", schema: ref('Document') };

export const configRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: PATH,
    id: 'getConfig',
    summary: 'The configuration in force',
    description:
      'After includes, references and flags. Secrets are veiled as `***`: a veiled one that is sent back keeps its value.',
    answers: { 200: { ...whole, headers: { etag: 'Changes with the configuration; for `If-Match`' } } },
    handle(_, operations) {
      const { document, tag } = operations.config();
      return json(200, document, { etag: tag });
    },
  },
  {
    method: 'PUT',
    path: PATH,
    id: 'putConfig',
    summary: 'Replaces the configuration: as a whole, or nothing changes',
    description:
      'What is sent is all that holds: flags of the command line are not added, unlike at a reload and in a `diff`. ' +
      'It lasts until the file is read again (reload, file change) or until a restart.',
    body: whole,
    ifMatch: true,
    answers: { 200: changed },
    errors: [...changeErrors, 'changed_meanwhile', 'invalid'],
    async handle({ body, ifMatch = null }, operations) {
      return changeAnswer(await operations.replaceConfig(body as Document, ifMatch), false);
    },
  },
  {
    method: 'POST',
    path: `${PATH}/diff`,
    id: 'diffConfig',
    summary:
      'What a file with this content would change, with the flags of the daemon, and how many live sessions each change touches',
    body: whole,
    answers: {
      200: { words: 'The differences; empty: none.', schema: object({ items: list(ref('LiveDiffItem')) }) },
    },
    errors: ['invalid_config', 'invalid'],
    async handle({ body }, operations) {
      const diff = await operations.diff(body as Document);
      return diff.ok ? json(200, { items: diff.items }) : refusedConfig(diff.problems);
    },
  },
];

/** What there is: the index, and the OpenAPI document. */
import { json } from '../answer.js';
import { openApi } from '../openapi.js';
import type { Route } from '../router.js';
import { list, object, text } from '../schema.js';

const index = object({
  name: text(),
  version: text(),
  description: text('Where the whole description is'),
  resources: list(object({ method: text(), path: text(), summary: text() })),
});

/** `all`: the whole table, these included; called once it is complete. */
export const descriptionRoutes = (all: () => readonly Route[]): readonly Route[] => [
  {
    method: 'GET',
    path: '/',
    id: 'getIndex',
    summary: 'What there is',
    answers: { 200: { words: 'Every resource.', schema: index } },
    handle: (_, operations) =>
      json(200, {
        name: 'anyport',
        version: operations.version,
        description: '/api/v1/openapi.json',
        resources: all().map(({ method, path, summary }) => ({ method, path, summary })),
      }),
  },
  {
    method: 'GET',
    path: '/api/v1/openapi.json',
    id: 'getOpenApi',
    summary: 'This description, as OpenAPI 3.1',
    answers: { 200: { words: 'The document.', schema: { type: 'object', additionalProperties: true } } },
    handle: (_, operations) => json(200, openApi(all(), operations.version)),
  },
];

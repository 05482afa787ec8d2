/** `kcp/sessions`: live links of reliable UDP. */
import { kcpLinkLimits } from '../../model/kcp-links.js';
import { json } from '../answer.js';
import type { Route } from '../router.js';
import { integer } from '../schema.js';
import { ref } from '../schemas.js';

const { rowsDefault, rowsMax } = kcpLinkLimits;

export const kcpRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/api/v1/kcp/sessions',
    id: 'listKcpSessions',
    summary: 'Live links of reliable UDP (KCP), the newest first; their streams are sessions',
    query: {
      limit: {
        ...integer(`Most links listed; default ${rowsDefault}`),
        minimum: 1,
        maximum: rowsMax,
      },
    },
    answers: { 200: { words: 'The links, and how many there are in all.', schema: ref('KcpLinkList') } },
    async handle({ query: { limit = rowsDefault } }, operations) {
      return json(200, await operations.kcpLinks(Number(limit)));
    },
  },
];

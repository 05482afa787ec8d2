/** `sessions`: those alive now, and the end of one. */

import { isNetwork, UNIX_PEERS } from '../../base/network.js';
import { type SessionQuery, sessionListLimits, sessionOrders } from '../../model/session-list.js';
import { json, refusal } from '../answer.js';
import type { Route } from '../router.js';
import { choice, flag, integer, object, text } from '../schema.js';
import { ref } from '../schemas.js';

const PATH = '/api/v1/sessions';

const limit = { ...integer('Most sessions listed'), minimum: 1, maximum: sessionListLimits.rowsMax };

export const sessionRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: PATH,
    id: 'listSessions',
    summary: 'Live sessions, in the names of the configuration with which each began',
    query: {
      limit: { ...limit, description: `Most sessions listed; default ${sessionListLimits.rowsDefault}` },
      order: choice(sessionOrders, 'By start, or by bytes both ways; default `newest`'),
      listener: text('Name of a listener'),
      protocol: text('Id of a protocol, as in the log'),
      upstream: text('Name of an upstream'),
      endpoint: text('Address as configured'),
      source: text("The client's address, a network such as `10.0.0.0/8`, or `unix`"),
    },
    answers: { 200: { words: 'The sessions, and how many match in all.', schema: ref('SessionList') } },
    async handle({ query }, operations) {
      const { source } = query;
      if (source !== undefined && source !== UNIX_PEERS && !isNetwork(source)) {
        return refusal(
          'bad_request',
          'expected an address, a network such as `10.0.0.0/8`, or `unix`',
          'source',
        );
      }
      const wanted = { ...query, ...(query.limit !== undefined && { limit: Number(query.limit) }) };
      return json(200, await operations.sessions(wanted as SessionQuery));
    },
  },
  {
    method: 'DELETE',
    path: `${PATH}/{id}`,
    id: 'endSession',
    summary: 'Ends a session at once; the log says `by: admin`',
    params: { id: '`WORKER-SLOT-GENERATION`, as listed and as in the debug log' },
    answers: { 200: { words: 'It has ended.', schema: object({ id: text(), ended: flag() }) } },
    errors: ['not_found', 'no_answer'],
    async handle({ params: { id = '' } }, operations) {
      const ended = await operations.endSession(id);
      if (ended === 'ended') return json(200, { id, ended: true });
      if (ended === 'unknown')
        return refusal('not_found', `no session ${JSON.stringify(id)}: it may have ended`);
      return refusal('no_answer', `the worker of session ${id} does not answer`);
    },
  },
];

/** `protocols`: those configured, in rank order, and their changes at run time. */
import { json, refusal } from '../answer.js';
import type { EditResult, Operations, ProtocolEntry, ProtocolStatus } from '../control.js';
import type { Route } from '../router.js';
import { list, object } from '../schema.js';
import { ref } from '../schemas.js';
import { changeAnswer, changed, changeErrors, isInForce } from './changes.js';

const PATH = '/api/v1/protocols';
const NAME = 'Name of a protocol, in any letter case';
const LASTS = 'It lasts until the file is read again or until a restart.';

const entry = { words: "An entry of the file's `protocols`.", schema: ref('ProtocolEntry') };

export const protocolRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: PATH,
    id: 'listProtocols',
    summary: 'The configured protocols in rank order',
    answers: {
      200: { words: 'The first is asked first.', schema: object({ protocols: list(ref('Protocol')) }) },
    },
    handle: (_, operations) => json(200, { protocols: operations.protocols() }),
  },
  {
    method: 'GET',
    path: `${PATH}/{name}`,
    id: 'getProtocol',
    summary: 'One protocol',
    params: { name: NAME },
    answers: { 200: { words: 'The protocol.', schema: ref('Protocol') } },
    errors: ['not_found'],
    handle({ params: { name = '' } }, operations) {
      const protocol = find(name, operations);
      return protocol === undefined ? noProtocol(name) : json(200, protocol);
    },
  },
  {
    method: 'POST',
    path: PATH,
    id: 'addProtocol',
    summary: 'Adds a protocol',
    description: LASTS,
    body: entry,
    answers: { 201: { ...changed, headers: { location: 'Of the protocol' } } },
    errors: ['exists', 'invalid', ...changeErrors],
    async handle({ body }, operations) {
      const added = body as ProtocolEntry & { readonly name: string };
      const result = await operations.addProtocol(added);
      const answer = changeAnswer(result, false);
      if (!isInForce(result)) return answer;
      return { ...answer, status: 201, headers: { location: `${PATH}/${encodeURIComponent(added.name)}` } };
    },
  },
  {
    method: 'PUT',
    path: `${PATH}/{name}`,
    id: 'replaceProtocol',
    summary: 'Replaces a protocol in its place',
    description: LASTS,
    params: { name: NAME },
    body: entry,
    answers: { 200: changed },
    errors: ['not_found', 'exists', 'invalid', ...changeErrors],
    handle: ({ params: { name = '' }, body }, operations) =>
      edited(name, operations.replaceProtocol(name, body as ProtocolEntry, 'replace')),
  },
  {
    method: 'PATCH',
    path: `${PATH}/{name}`,
    id: 'changeProtocol',
    summary: 'Changes some keys of a protocol; null removes one',
    description: `A target takes the place of a handler, and the other way round. ${LASTS}`,
    params: { name: NAME },
    body: {
      words: 'The keys to change.',
      schema: { type: 'object', minProperties: 1, additionalProperties: true },
    },
    answers: { 200: changed },
    errors: ['not_found', 'exists', 'invalid', ...changeErrors],
    handle: ({ params: { name = '' }, body }, operations) =>
      edited(name, operations.replaceProtocol(name, body as ProtocolEntry, 'merge')),
  },
  {
    method: 'DELETE',
    path: `${PATH}/{name}`,
    id: 'removeProtocol',
    summary: 'Removes a protocol; sessions that speak it go on',
    description: LASTS,
    params: { name: NAME },
    answers: { 200: changed },
    errors: ['not_found', ...changeErrors],
    handle: ({ params: { name = '' } }, operations) => edited(name, operations.removeProtocol(name)),
  },
];

async function edited(name: string, edit: Promise<EditResult>) {
  const result = await edit;
  return result.result === 'missing' ? noProtocol(name) : changeAnswer(result, false);
}

const find = (name: string, operations: Operations): ProtocolStatus | undefined =>
  operations.protocols().find((protocol) => protocol.name.toLowerCase() === name.toLowerCase());

const noProtocol = (name: string) =>
  refusal('not_found', `no protocol ${JSON.stringify(name)} is configured; GET ${PATH} lists them`);

/** `bans`: sources that are refused for a time. */
import { type BanRequest, type BanResult, banLimits } from '../../model/ban.js';
import { type Answer, json, refusal } from '../answer.js';
import type { Route } from '../router.js';
import { integer, object } from '../schema.js';
import { ref } from '../schemas.js';

const PATH = '/api/v1/bans';
const LASTS = 'A reload keeps it; a restart or an upgrade in place does not.';

const limit = {
  ...integer(`Most bans listed; default ${banLimits.rowsDefault}`),
  minimum: 1,
  maximum: banLimits.rowsMax,
};

export const banRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: PATH,
    id: 'listBans',
    summary: 'Who is banned: by the guard, or by an operator',
    query: { limit },
    answers: { 200: { words: 'The bans, and how many there are.', schema: ref('BanList') } },
    handle: ({ query }, operations) =>
      json(200, operations.bans(Number(query.limit ?? banLimits.rowsDefault))),
  },
  {
    method: 'POST',
    path: PATH,
    id: 'addBan',
    summary: 'Bans an address: its connections are refused before a byte is read',
    description: `Sessions that it has go on. An address that is banned already is banned for the time that is given now. ${LASTS}`,
    body: { words: 'Whom, and for how long.', schema: ref('BanRequest') },
    answers: { 201: { words: 'The ban.', schema: object({ ban: ref('Ban') }) } },
    errors: ['invalid', 'trusted', 'busy'],
    handle: ({ body }, operations) => banAnswer(operations.ban(body as BanRequest)),
  },
  {
    method: 'DELETE',
    path: `${PATH}/{ip}`,
    id: 'liftBan',
    summary: 'Lifts a ban',
    params: { ip: 'The address; of an IPv6 source any of its /64' },
    answers: { 200: { words: 'What was lifted.', schema: object({ lifted: ref('Ban') }) } },
    errors: ['invalid', 'not_found'],
    handle({ params: { ip = '' } }, operations) {
      const lifting = operations.liftBan(ip);
      switch (lifting.result) {
        case 'lifted':
          return json(200, { lifted: lifting.ban });
        case 'invalid':
          return refusal('invalid', lifting.message, 'ip');
        case 'not_banned':
          return refusal('not_found', `${JSON.stringify(ip)} is not banned; GET ${PATH} lists who is`);
      }
    },
  },
];

function banAnswer(result: BanResult): Answer {
  switch (result.result) {
    case 'banned':
      return json(201, { ban: result.ban });
    case 'invalid':
      return refusal('invalid', result.message, result.path);
    case 'trusted':
      return refusal('trusted', 'it is in `security.ip_whitelist`, and such a source is never banned', 'ip');
    case 'full':
      return refusal(
        'busy',
        'too many sources are banned already: lift some, or use `security.ip_blacklist`',
      );
  }
}

/** RDP: an X.224 connection request in a TPKT, told from other users of X.224 by what follows its header. */
import type { Facts, FactsAnswer } from '../model/facts.js';
import type { Protocol } from '../model/protocol.js';
import { asBuffer } from './cursor.js';

const headerBytes = 11;

const connectionRequest = '\\x03\\x00[^]{3}\\xe0\\x00\\x00[^]{2}\\x00';

export const rdp: Protocol = {
  id: 'rdp',
  transports: ['tcp'],
  rank: 40,
  signature: {
    patterns: [
      '^\\x03\\x00\\x00\\x0b\\x06\\xe0\\x00\\x00[^]{2}\\x00',
      // A cookie or a routing token is text; a negotiation request has its type, flags and length.
      `^${connectionRequest}(?:[\\x20-\\x7e]|\\x01[^]\\x08\\x00)`,
    ],
    checks: ['u16be(2) == u8(4) + 5'],
  },
  factNames: ['cookie', 'routing_token'],
  words: 'TPKT (03 00), X.224 connection request (E0), then a cookie, a negotiation request or nothing',
  source: 'MS-RDPBCGR section 2.2.1.1, RFC 1006 section 6',
  facts: rdpFacts,
};

/** The user's name in the cookie, or the text that a load balancer routes by. */
export function rdpFacts(bytes: Uint8Array): FactsAnswer {
  const request = asBuffer(bytes);
  if (request.length < headerBytes) return { verdict: 'more', bytesNeeded: headerBytes, facts: {} };
  const end = request.readUInt16BE(2);
  if (request.length < end) return { verdict: 'more', bytesNeeded: end, facts: {} };
  const variable = request.toString('latin1', headerBytes, Math.max(end, headerBytes));
  return { verdict: 'facts', facts: readRouting(variable) };
}

function readRouting(variable: string): Facts {
  const [line, rest] = variable.split('\r\n', 2);
  if (!line || rest === undefined) return {};
  const [, cookie] = /^Cookie: mstshash=(.*)$/.exec(line) ?? [];
  return cookie === undefined ? { routing_token: line } : { cookie };
}

/**
 * RDP: an X.224 connection request in a TPKT; the data behind its header tells it from other users of X.224. A
 * preconnection PDU precedes it when the client selects one of several sources on the port (a virtual machine).
 */
import type { Facts, FactsAnswer } from '../model/facts.js';
import type { Confirmation, Protocol } from '../model/protocol.js';
import { match, more, no } from './confirmation.js';
import { asBuffer } from './cursor.js';

const headerBytes = 11;
const tpkt = 3;
/**
 * Preconnection PDU (MS-RDPEPS section 2.2.1): length, flags, version, id; version 2 adds a character count and the
 * characters.
 */
const preconnectionBytes = 16;
const charactersOffset = 16;
const preconnection2Bytes = 18;

const connectionRequest = '\\x03\\x00[^]{3}\\xe0\\x00\\x00[^]{2}\\x00';

export const rdp: Protocol = {
  id: 'rdp',
  transports: ['tcp'],
  rank: 40,
  signature: {
    patterns: [
      '^\\x03\\x00\\x00\\x0b\\x06\\xe0\\x00\\x00[^]{2}\\x00',
      // A cookie or routing token is text; a negotiation request has type, flags, length.
      `^${connectionRequest}(?:[\\x20-\\x7e]|\\x01[^]\\x08\\x00)`,
      // Length below 256: otherwise openings of other protocols would stay undecided (05 01 00, FE 01).
      '^\\x10\\x00{7}\\x01\\x00{3}[^]{4}',
      '^[\\x12-\\xfe]\\x00{7}\\x02\\x00{3}[^]{6}',
    ],
  },
  confirm: confirmRdp,
  factNames: ['cookie', 'routing_token'],
  words:
    'TPKT (03 00), X.224 connection request (E0), then a cookie, a negotiation request or nothing; perhaps after a preconnection PDU',
  source: 'MS-RDPBCGR section 2.2.1.1, MS-RDPEPS section 2.2.1, RFC 1006 section 6',
  facts: rdpFacts,
};

/** The lengths must agree. */
function confirmRdp(bytes: Uint8Array): Confirmation {
  if (bytes.length < headerBytes) return more(headerBytes);
  const opening = asBuffer(bytes);
  if (opening[0] === tpkt) return opening.readUInt16BE(2) === opening.readUInt8(4) + 5 ? match : no;
  if (opening[0] === preconnectionBytes) return match;
  if (bytes.length < preconnection2Bytes) return more(preconnection2Bytes);
  const characters = opening.readUInt16LE(charactersOffset);
  return opening.readUInt16LE(0) === preconnection2Bytes + 2 * characters ? match : no;
}

/** The user name in the cookie, or the routing token of a load balancer. */
export function rdpFacts(bytes: Uint8Array): FactsAnswer {
  const opening = asBuffer(bytes);
  const start = requestOffset(opening);
  const request = opening.subarray(start);
  if (request.length < headerBytes) return { verdict: 'more', bytesNeeded: start + headerBytes, facts: {} };
  const end = request.readUInt16BE(2);
  if (request.length < end) return { verdict: 'more', bytesNeeded: start + end, facts: {} };
  const variable = request.toString('latin1', headerBytes, Math.max(end, headerBytes));
  return { verdict: 'facts', facts: readRouting(variable) };
}

/** Offset of the connection request, behind a preconnection PDU if there is one. */
function requestOffset(opening: Buffer): number {
  return opening.length < headerBytes || opening[0] === tpkt ? 0 : opening.readUInt16LE(0);
}

function readRouting(variable: string): Facts {
  const [line, rest] = variable.split('\r\n', 2);
  if (!line || rest === undefined) return {};
  const [, cookie] = /^Cookie: mstshash=(.*)$/.exec(line) ?? [];
  return cookie === undefined ? { routing_token: line } : { cookie };
}

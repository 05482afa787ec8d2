/** SOCKS 4 and 4a: a request with its destination. */
import type { FactsAnswer } from '../model/facts.js';
import type { Protocol } from '../model/protocol.js';
import { asBuffer } from './cursor.js';
import { withFacts } from './with-facts.js';

/** Upper bound: header, user and host, the latter two up to 255 bytes plus NUL. */
const requestBytesMax = 8 + 256 + 256;

const headerBytes = 8;

/** ASCII or UTF-8. */
const text =
  '(?:[\\x20-\\x7e]|[\\xc2-\\xdf][\\x80-\\xbf]|[\\xe0-\\xef][\\x80-\\xbf]{2}|[\\xf0-\\xf4][\\x80-\\xbf]{3})';
/** Excludes multicast. */
const unicast = '[\\x01-\\xdf]';
/** Excludes port 0, which also rules out MongoDB message lengths. */
const port = '(?:\\x00[\\x01-\\xff]|[\\x01-\\xff][^])';

export const socks4: Protocol = {
  id: 'socks4',
  transports: ['tcp'],
  rank: 40,
  // CONNECT or BIND. In 4a the address 0.0.0.x announces a host name behind the user.
  signature: {
    patterns: [
      `^\\x04[\\x01\\x02]${port}${unicast}[^]{3}${text}*\\x00`,
      `^\\x04[\\x01\\x02]${port}\\x00{3}[\\x01-\\xff]${text}*\\x00${text}+\\x00`,
    ],
    maxBytes: requestBytesMax,
  },
  factNames: ['host', 'destination', 'user'],
  words: '04, CONNECT or BIND, port, IPv4 address, user 00; in 4a with a host name',
  source: 'SOCKS: A protocol for TCP proxy across firewalls (version 4), SOCKS 4A',
  facts: socks4Facts,
};

/** Destination (host or address) and user. */
export function socks4Facts(bytes: Uint8Array): FactsAnswer {
  const request = asBuffer(bytes.subarray(0, requestBytesMax));
  const userEnd = request.indexOf(0, headerBytes);
  const named = request[4] === 0;
  const end = named && userEnd >= 0 ? request.indexOf(0, userEnd + 1) : userEnd;
  if (request.length < headerBytes || end < 0) return unfinished(bytes.length);
  const user = request.toString('latin1', headerBytes, userEnd);
  const host = named
    ? request.toString('latin1', userEnd + 1, end).toLowerCase()
    : request.subarray(4, headerBytes).join('.');
  const facts = { host, destination: `${host}:${request.readUInt16BE(2)}` };
  return { verdict: 'facts', facts: user === '' ? facts : withFacts(facts, { user }) };
}

function unfinished(length: number): FactsAnswer {
  if (length >= requestBytesMax) return { verdict: 'broken', facts: {} };
  return { verdict: 'more', bytesNeeded: length + 1, facts: {} };
}

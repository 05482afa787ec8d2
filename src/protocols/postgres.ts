/**
 * PostgreSQL: a startup message, or a request that precedes it (TLS, GSSAPI, cancel). Since version 17 clients may
 * open with TLS directly; the hello then has ALPN postgresql.
 */
import type { Ask, AskVerdict, Doubtful, Facts, FactsAnswer, Turn } from '../model/facts.js';
import type { Confirmation, Protocol } from '../model/protocol.js';
import { match, more, no } from './confirmation.js';
import { asBuffer } from './cursor.js';
import { recordPatterns, tlsFacts } from './tls.js';
import { withFacts } from './with-facts.js';

/** The server's limit (MAX_STARTUP_PACKET_LENGTH). */
const startupBytesMax = 10_000;
const headerBytes = 8;
const majorVersion = 3;

export const postgres: Protocol = {
  id: 'postgres',
  transports: ['tcp'],
  // Before TLS, which it refines.
  rank: 9,
  signature: {
    patterns: [
      // SSLRequest, GSSENCRequest, CancelRequest with a key of 4 to 256 bytes.
      '^\\x00\\x00\\x00\\x08\\x04\\xd2\\x16[\\x2f\\x30]',
      '^\\x00\\x00(?:\\x00[\\x10-\\xff]|\\x01[\\x00-\\x0c])\\x04\\xd2\\x16\\x2e',
      // Length, version 3.x, a parameter name: Kafka has a number in that place.
      '^\\x00\\x00[\\x00-\\x27][^]\\x00\\x03[^]{2}[A-Za-z_][\\x20-\\x7e]*\\x00',
      ...recordPatterns,
    ],
    maxBytes: startupBytesMax,
  },
  confirm: confirmPostgres,
  factNames: ['user', 'database', 'sni', 'alpn', 'versions', 'ech'],
  words:
    'LENGTH, version 3.x and parameters, or the code of a TLS, GSSAPI or cancel request; TLS with ALPN postgresql',
  source: 'PostgreSQL documentation, Message Formats (StartupMessage and the requests beside it)',
  facts: postgresFacts,
};

/** A TLS opening is PostgreSQL's only if the ALPN says so. */
export function confirmPostgres(bytes: Uint8Array): Confirmation {
  if (bytes[0] === 0) return match;
  const answer = tlsFacts(bytes);
  if (answer.verdict === 'more') return more(answer.bytesNeeded);
  return answer.verdict === 'facts' && answer.facts.alpn?.includes('postgresql') ? match : no;
}

/** NAMEDATALEN: servers before version 17 cut a longer name, and so take it for another. */
const nameBytesMax = 63;

/** Only the server reads them. */
const unread: Doubtful = ['user', 'database'];

/** User and database of a startup message, or the facts of a TLS hello. */
export function postgresFacts(bytes: Uint8Array): FactsAnswer {
  if (bytes.length < headerBytes) return { verdict: 'more', bytesNeeded: headerBytes, facts: {} };
  const message = asBuffer(bytes);
  if (message[0] !== 0) return withoutNames(tlsFacts(bytes));
  // A request for encryption hides the names; a cancel request has none, but belongs to a session that has.
  if (message.readUInt16BE(4) !== majorVersion) {
    const turn = turns.get(message.readUInt32BE(4));
    return { verdict: 'facts', facts: {}, doubtful: unread, ...(turn && { turn }) };
  }
  const end = message.readUInt32BE(0);
  if (end > startupBytesMax) return { verdict: 'broken', facts: {} };
  if (message.length < end) return { verdict: 'more', bytesNeeded: end, facts: {} };
  const facts = readParameters(message.toString('utf8', headerBytes, end));
  const long = unread.filter((name) => Buffer.byteLength(String(facts[name] ?? '')) > nameBytesMax);
  return { verdict: 'facts', facts, ...(long.length > 0 && { doubtful: long }) };
}

const withoutNames = (hello: FactsAnswer): FactsAnswer =>
  hello.verdict === 'facts' ? { ...hello, doubtful: [...(hello.doubtful ?? []), ...unread] } : hello;

// ---- a request for encryption: the client waits for one byte, and then begins with it or goes on without

const sslRequest = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);

const ask: Ask = {
  words: 'SSLRequest, and awaits S',
  bytes: sslRequest,
  expected: 1,
  judge: judgeTls,
};

function judgeTls([answer]: Uint8Array): AskVerdict {
  if (answer === 0x53) return { verdict: 'yes', bytes: 1 };
  if (answer === 0x4e) return { verdict: 'no', why: 'the endpoint has no TLS: it answers N to SSLRequest' };
  if (answer === 0x45)
    return { verdict: 'no', why: 'the endpoint answers with an error to SSLRequest, before TLS' };
  return { verdict: 'no', why: 'the endpoint does not answer to SSLRequest as PostgreSQL does' };
}

const tlsTurn: Turn = {
  words: 'S, for its TLS hello',
  bytes: headerBytes,
  reply: Buffer.from('S'),
  facts: (bytes) => (bytes[0] === 0 ? { verdict: 'broken', facts: {} } : withoutNames(tlsFacts(bytes))),
  ask,
};

/** libpq asks for it first where it could use it, once. */
const gssTurn: Turn = {
  words: 'N, for its next request',
  bytes: headerBytes,
  reply: Buffer.from('N'),
  facts(bytes) {
    const answer = postgresFacts(bytes);
    return answer.verdict === 'facts' && answer.turn === gssTurn ? { verdict: 'broken', facts: {} } : answer;
  },
  ask: null,
};

/** By the code of the request. */
const turns: ReadonlyMap<number, Turn> = new Map([
  [0x04d2_162f, tlsTurn],
  [0x04d2_1630, gssTurn],
]);

/** Alternating names and values, each terminated by NUL; of a name that comes twice the last value. */
function readParameters(text: string): Facts {
  const strings = text.split('\0');
  const facts: Facts = {};
  for (let i = 0; i + 1 < strings.length && strings[i] !== ''; i += 2) {
    const name = strings[i];
    const value = strings[i + 1];
    if ((name === 'user' || name === 'database') && value !== undefined) facts[name] = value;
  }
  const database = facts.database || facts.user;
  return database ? withFacts(facts, { database }) : facts;
}

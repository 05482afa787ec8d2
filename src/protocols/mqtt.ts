/** MQTT: a CONNECT of version 3.1, 3.1.1 or 5. */
import type { Facts, FactsAnswer } from '../model/facts.js';
import type { Protocol } from '../model/protocol.js';
import { bytesWhere } from './byte-class.js';
import { asBuffer, Cursor } from './cursor.js';
import { withFacts } from './with-facts.js';

/** Upper bound on a CONNECT, far above any seen. */
const openingBytesMax = 16_384;

/** Remaining length: at least the 10-byte variable header and an empty client id. */
const remainingLength = '(?:[\\x0c-\\x7f]|[\\x80-\\xff]{1,3}[\\x00-\\x7f])';
/** Protocol name and level; bridges set the level's top bit. */
const named = '(?:\\x00\\x04MQTT[\\x04\\x05\\x84\\x85]|\\x00\\x06MQIsdp[\\x03\\x83])';
/** Bit 0 is reserved. */
const flags = bytesWhere((byte) => (byte & 1) === 0);

const bridgeBit = 0x80;
/** Properties exist from version 5 on. */
const propertiesLevel = 5;
const userFlag = 0x80;
const willFlag = 0x04;
const versions: Readonly<Record<number, string>> = { 3: '3.1', 4: '3.1.1', 5: '5' };

export const mqtt: Protocol = {
  id: 'mqtt',
  transports: ['tcp'],
  rank: 10,
  signature: { patterns: [`^\\x10${remainingLength}${named}${flags}`] },
  factNames: ['version', 'client_id', 'user'],
  words: '10, LENGTH, MQTT or MQIsdp with its length, level 3, 4 or 5',
  source: 'MQTT 3.1, 3.1.1 and 5.0 section 3.1',
  facts: mqttFacts,
};

/** Version, client id and user. An empty client id asks the server to assign one. */
export function mqttFacts(bytes: Uint8Array): FactsAnswer {
  const cursor = new Cursor(asBuffer(bytes.subarray(0, openingBytesMax)));
  const isAll = bytes.length >= openingBytesMax;
  cursor.skip(1);
  cursor.varint();
  cursor.skip(cursor.u16());
  const level = cursor.u8() & ~bridgeBit;
  const flags = cursor.u8();
  cursor.skip(2); // keep-alive
  if (level === propertiesLevel) cursor.skip(cursor.varint());
  const client = cursor.utf8(cursor.u16());
  if (cursor.overrun) return isAll ? { verdict: 'broken', facts: {} } : more(bytes.length + 1);
  const known = factsOf(level, client);
  if ((flags & userFlag) === 0) return { verdict: 'facts', facts: known };
  if (flags & willFlag) skipWill(cursor, level);
  const user = cursor.utf8(cursor.u16());
  if (!cursor.overrun) return { verdict: 'facts', facts: withFacts(known, { user }) };
  return isAll ? { verdict: 'facts', facts: known, doubtful: ['user'] } : more(bytes.length + 1);
}

const more = (bytesNeeded: number): FactsAnswer => ({ verdict: 'more', bytesNeeded, facts: {} });

/** Will properties, topic and message precede the user name. */
function skipWill(cursor: Cursor, level: number): void {
  if (level === propertiesLevel) cursor.skip(cursor.varint());
  cursor.skip(cursor.u16());
  cursor.skip(cursor.u16());
}

function factsOf(level: number, client: string): Facts {
  const version = versions[level] ?? String(level);
  return client === '' ? { version } : { version, client_id: client };
}

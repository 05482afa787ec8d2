/** Minecraft: the Java edition's handshake, or the legacy ping. */
import type { Confirmation, Protocol } from '../model/protocol.js';
import { match, more, no } from './confirmation.js';
import { asBuffer, Cursor } from './cursor.js';
import { minecraftFacts } from './minecraft-facts.js';

const legacyPing = 0xfe;
const legacyPayload = 0x01;
/** Port and requested state. */
const tailBytes = 3;
/** 1 status, 2 login, 3 transfer. */
const statesMax = 3;

const packetLength = '(?:[\\x07-\\x7f]|[\\x80-\\xff][\\x01-\\x7f])';
const packetId = '\\x00';
const version = '(?:[\\x00-\\x7f]|[\\x80-\\xff]{1,3}[\\x01-\\x7f]|[\\x80-\\xff]{4}[\\x01-\\x0f])';
const hostLength = '(?:[\\x01-\\x7f]|[\\x80-\\xff][\\x01-\\x7f])';

export const minecraft: Protocol = {
  id: 'minecraft',
  transports: ['tcp'],
  rank: 42,
  signature: {
    patterns: ['^\\xfe\\x01', `^${packetLength}${packetId}${version}${hostLength}[\\x21-\\x7e\\xc2-\\xf4]`],
  },
  confirm: confirmMinecraft,
  factNames: ['host', 'port', 'version', 'intent'],
  words: 'LENGTH, 00, version, host, port, state 1-3, all in one packet; or FE 01',
  source: 'Minecraft protocol: handshake, legacy server list ping',
  facts: minecraftFacts,
};

/** Host length and packet length must agree, and the state must exist. */
export function confirmMinecraft(bytes: Uint8Array): Confirmation {
  // A handshake's length may start with the bytes of a legacy ping.
  if (bytes[0] === legacyPing && bytes[1] === legacyPayload) return match;
  const cursor = new Cursor(asBuffer(bytes));
  const packetBytes = cursor.varint();
  const end = cursor.position + packetBytes;
  cursor.skip(1); // packet id
  cursor.varint(); // protocol version
  const hostBytes = cursor.varint();
  if (cursor.overrun) return more(bytes.length + 1);
  if (cursor.position + hostBytes + tailBytes !== end) return no;
  if (!isHost(cursor.latin1(hostBytes))) return no;
  cursor.skip(2); // port
  const state = cursor.u8();
  if (cursor.overrun) return more(end);
  return state >= 1 && state <= statesMax ? match : no;
}

/** UTF-8; its last character may be incomplete. Forge and proxies append data after a NUL. */
const isHost = (text: string): boolean =>
  /^(?:[\x21-\x7e]|[\xc2-\xf4][\x80-\xbf]{1,3})*(?:\0(?:[\0\x20-\x7e]|[\xc2-\xf4][\x80-\xbf]{1,3})*)?[\xc2-\xf4]?$/.test(
    text,
  );

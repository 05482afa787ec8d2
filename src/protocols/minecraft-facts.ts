/**
 * The server name in a Minecraft handshake, as the player typed it: many servers share an address and are routed by
 * it.
 */
import type { Facts, FactsAnswer } from '../model/facts.js';
import { asBuffer, Cursor } from './cursor.js';

const legacyPing = 0xfe;
const legacyPayload = 0x01;

const intents = ['', 'status', 'login', 'transfer'] as const;

/** Host, port, protocol version and requested state. */
export function minecraftFacts(bytes: Uint8Array): FactsAnswer {
  if (bytes[0] === legacyPing && (bytes.length === 1 || bytes[1] === legacyPayload)) return pingFacts(bytes);
  const cursor = new Cursor(asBuffer(bytes));
  cursor.varint(); // packet length
  cursor.skip(1); // packet id
  const version = cursor.varint();
  const host = hostOf(cursor.utf8(cursor.varint()));
  const port = cursor.u16();
  const intent = intents[cursor.u8()];
  if (cursor.overrun) return more(bytes.length + 1);
  return { verdict: 'facts', facts: { host, port, version, ...(intent && { intent }) } };
}

const more = (bytesNeeded: number): FactsAnswer => ({ verdict: 'more', bytesNeeded, facts: {} });

/** Forge and proxies append data after a NUL. */
const hostOf = (text: string): string => (text.split('\0', 1)[0] ?? '').toLowerCase();

// ---- the ping of versions before 1.7

const pluginMessage = 0xfa;
/** FE 01 FA, then `MC|PingHost` in UTF-16 with its length. */
const pingHeadBytes = 3 + 2 + 22;
const pingChannel = 'MC|PingHost';

/** Before 1.6 the ping has no payload; 1.6 sends it in one segment with the payload. */
function pingFacts(bytes: Uint8Array): FactsAnswer {
  const none: Facts = { intent: 'status' };
  if (bytes.length < 3) return { verdict: 'more', bytesNeeded: 3, facts: none };
  if (bytes[2] !== pluginMessage) return { verdict: 'facts', facts: none };
  if (bytes.length < pingHeadBytes) return { verdict: 'more', bytesNeeded: pingHeadBytes, facts: none };
  const cursor = new Cursor(asBuffer(bytes), 3);
  if (utf16(cursor) !== pingChannel) return { verdict: 'facts', facts: none };
  cursor.skip(2); // length of the payload
  const version = cursor.u8();
  const host = utf16(cursor).toLowerCase();
  const port = cursor.u16() * 0x1_0000 + cursor.u16();
  if (cursor.overrun) return { verdict: 'more', bytesNeeded: bytes.length + 1, facts: none };
  return { verdict: 'facts', facts: { ...none, host, port, version } };
}

/** UTF-16BE, preceded by the number of characters. */
function utf16(cursor: Cursor): string {
  const bytes = Buffer.from(cursor.latin1(2 * cursor.u16()), 'latin1');
  return bytes.length % 2 === 0 ? bytes.swap16().toString('utf16le') : '';
}

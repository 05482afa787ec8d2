/** What an opening of SMB says: the dialects that the client speaks, and whom it wants to reach. */
import type { Facts, FactsAnswer } from '../model/facts.js';
import { asBuffer } from './cursor.js';

/** RFC 1002 section 4.3.1: type, flags and length, before every message. */
const sessionHeaderBytes = 4;
const sessionRequest = 0x81;
/** Far above any negotiation seen. */
const messageBytesMax = 16_384;

export function smbFacts(bytes: Uint8Array): FactsAnswer {
  if (bytes.length < sessionHeaderBytes) return more(sessionHeaderBytes);
  const opening = asBuffer(bytes);
  const end = sessionHeaderBytes + (opening.readUIntBE(1, 3) & 0x1_ffff);
  if (end > messageBytesMax) return { verdict: 'broken', facts: {} };
  if (bytes.length < end) return more(end);
  const message = opening.subarray(sessionHeaderBytes, end);
  if (opening[0] === sessionRequest) return { verdict: 'facts', facts: sessionNames(message) };
  return { verdict: 'facts', facts: message[0] === 0xff ? smb1Facts(message) : smb2Facts(message) };
}

const more = (bytesNeeded: number): FactsAnswer => ({ verdict: 'more', bytesNeeded, facts: {} });

// ---- NetBIOS

/** Half bytes as letters, and the byte of its length before them (RFC 1001 section 14.1). */
const encodedNameBytes = 32;
const nameBytes = 16;

/** Who is called, and by whom. */
function sessionNames(message: Buffer): Facts {
  const called = netbiosName(message, 1);
  const calling = netbiosName(message, 1 + encodedNameBytes + 2);
  return { ...(called && { called_name: called }), ...(calling && { calling_name: calling }) };
}

/** Without the spaces that fill it, and the byte that says what kind of name it is. */
function netbiosName(message: Buffer, at: number): string {
  const encoded = message.subarray(at, at + encodedNameBytes);
  if (encoded.length < encodedNameBytes) return '';
  const half = (index: number): number => ((encoded[index] ?? 0) - 0x41) & 0x0f;
  const bytes = Array.from({ length: nameBytes - 1 }, (_, i) => half(2 * i) * 16 + half(2 * i + 1));
  return Buffer.from(bytes).toString('latin1').trimEnd();
}

// ---- SMB 1

const negotiate1 = 0x72;
/** MS-CIFS section 2.2.3.1, then no parameters and the number of bytes. */
const smb1HeadBytes = 32 + 1 + 2;
const dialectMark = '\x02';

/** MS-CIFS section 2.2.4.52.1: names that NULs end, the oldest first. */
function smb1Facts(message: Buffer): Facts {
  if (message[4] !== negotiate1) return {};
  const names = message.toString('latin1', smb1HeadBytes).split('\0');
  const dialects = names.filter((name) => name.startsWith(dialectMark)).map((name) => name.slice(1));
  return dialects.length === 0 ? {} : { dialects };
}

// ---- SMB 2 and 3

const smb2HeaderBytes = 64;
/** MS-SMB2 section 2.2.3, up to the dialects. */
const negotiateBytes = 36;
const commandOffset = 12;
const contextHeaderBytes = 8;
const netName = 5;
/** A client sends five. */
const contextsMax = 16;

const dialectNames: ReadonlyMap<number, string> = new Map([
  [0x0202, '2.0.2'],
  [0x0210, '2.1'],
  [0x0300, '3.0'],
  [0x0302, '3.0.2'],
  [0x0311, '3.1.1'],
]);

function smb2Facts(message: Buffer): Facts {
  const dialectsAt = smb2HeaderBytes + negotiateBytes;
  if (message.length < dialectsAt || message.readUInt16LE(commandOffset) !== 0) return {};
  const count = message.readUInt16LE(smb2HeaderBytes + 2);
  const known: string[] = [];
  for (let at = dialectsAt; at < dialectsAt + 2 * count && at + 2 <= message.length; at += 2) {
    const name = dialectNames.get(message.readUInt16LE(at));
    if (name !== undefined) known.push(name);
  }
  const host = known.includes('3.1.1') ? hostOf(message) : '';
  return { dialects: known, ...(host !== '' && { host }) };
}

/** MS-SMB2 section 2.2.3.1.4: the server's name as the user wrote it, which Windows sends with 3.1.1. */
function hostOf(message: Buffer): string {
  let at = message.readUInt32LE(smb2HeaderBytes + 28);
  const count = Math.min(message.readUInt16LE(smb2HeaderBytes + 32), contextsMax);
  for (let left = count; left > 0 && at + contextHeaderBytes <= message.length; left--) {
    const start = at + contextHeaderBytes;
    const end = start + message.readUInt16LE(at + 2);
    if (message.readUInt16LE(at) === netName && end <= message.length) {
      return message.toString('utf16le', start, end).toLowerCase();
    }
    at = end + ((8 - (end % 8)) % 8);
  }
  return '';
}

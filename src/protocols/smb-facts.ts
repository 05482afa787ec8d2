/** Facts of an SMB opening: the client's dialects and the server name. */
import type { Facts, FactsAnswer } from '../model/facts.js';
import { asBuffer } from './cursor.js';

/** NetBIOS session header: type, flags, length (RFC 1002 section 4.3.1). */
const sessionHeaderBytes = 4;
const sessionRequest = 0x81;
/** Upper bound, far above any negotiation seen. */
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

/** NetBIOS name: one letter per half byte, preceded by a length byte (RFC 1001 section 14.1). */
const encodedNameBytes = 32;
const nameBytes = 16;

/** Called and calling name. */
function sessionNames(message: Buffer): Facts {
  const called = netbiosName(message, 1);
  const calling = netbiosName(message, 1 + encodedNameBytes + 2);
  return { ...(called && { called_name: called }), ...(calling && { calling_name: calling }) };
}

/** Without padding and type suffix. */
function netbiosName(message: Buffer, at: number): string {
  const encoded = message.subarray(at, at + encodedNameBytes);
  if (encoded.length < encodedNameBytes) return '';
  const half = (index: number): number => ((encoded[index] ?? 0) - 0x41) & 0x0f;
  const bytes = Array.from({ length: nameBytes - 1 }, (_, i) => half(2 * i) * 16 + half(2 * i + 1));
  return Buffer.from(bytes).toString('latin1').trimEnd();
}

// ---- SMB 1

const negotiate1 = 0x72;
/** SMB 1 header (MS-CIFS section 2.2.3.1), empty parameters, byte count. */
const smb1HeadBytes = 32 + 1 + 2;
const dialectMark = '\x02';

/** MS-CIFS section 2.2.4.52.1: NUL-terminated dialect names, oldest first. */
function smb1Facts(message: Buffer): Facts {
  if (message[4] !== negotiate1) return {};
  const names = message.toString('latin1', smb1HeadBytes).split('\0');
  const dialects = names.filter((name) => name.startsWith(dialectMark)).map((name) => name.slice(1));
  return dialects.length === 0 ? {} : { dialects };
}

// ---- SMB 2 and 3

const smb2HeaderBytes = 64;
/** MS-SMB2 section 2.2.3: fixed part, up to the dialects. */
const negotiateBytes = 36;
const commandOffset = 12;
const contextHeaderBytes = 8;
const netName = 5;
/** Upper bound on negotiate contexts; clients send five. */
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

/** Netname context (MS-SMB2 section 2.2.3.1.4): the server name as the user typed it; Windows sends it with 3.1.1. */
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

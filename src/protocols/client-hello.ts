/** Parser for the ClientHello of TLS, DTLS and QUIC. Records, fragments and packets are reassembled by the caller. */
import type { Facts } from '../model/facts.js';
import { factLimits } from './bounds.js';
import type { Cursor } from './cursor.js';

/** Handshake header: type and length. */
export const helloHeaderBytes = 4;
export const clientHello = 1;

/** Upper bound on a hello; post-quantum hellos have about 2 KiB. */
export const helloBytesMax = 65_536;

export interface HelloForm {
  /** DTLS: a cookie follows the session id (RFC 6347 section 4.2.1). */
  readonly cookie: boolean;
}

/** RFC 8446 section 4.1.2, from behind the handshake header; null when its lengths do not add up. */
export function readClientHello(cursor: Cursor, { cookie }: HelloForm): Facts | null {
  const facts: Facts = { versions: readVersionNames(cursor.sub(2)), ech: false };
  cursor.skip(32); // random
  cursor.skip(cursor.u8()); // session id
  if (cookie) cursor.skip(cursor.u8());
  cursor.skip(cursor.u16()); // cipher suites
  cursor.skip(cursor.u8()); // compression methods
  const readable = cursor.left === 0 || readExtensions(cursor.sub(cursor.u16()), facts);
  return readable && cursor.left === 0 && !cursor.overrun ? facts : null;
}

/** Stores the fact of one extension; false: malformed. */
type ExtensionReader = (body: Cursor, facts: Facts) => boolean;

const extensionReaders: Partial<Record<number, ExtensionReader>> = {
  0: readServerName,
  16: readAlpn,
  43: readVersions,
  65037: readEch,
};

function readExtensions(cursor: Cursor, facts: Facts): boolean {
  const read: ExtensionReader[] = [];
  while (cursor.left > 0) {
    const reader = extensionReaders[cursor.u16()];
    const length = cursor.u16();
    if (!reader) {
      if (!cursor.skip(length)) return false;
      continue;
    }
    const body = cursor.sub(length);
    // RFC 8446 section 4.2: at most one extension of each type. With two server names the endpoint might use the
    // other one.
    if (cursor.overrun || read.includes(reader)) return false;
    if (!reader(body, facts) || body.overrun || body.left > 0) return false;
    read.push(reader);
  }
  return true;
}

/** RFC 6066 section 3: exactly one name, of type host_name. */
function readServerName(body: Cursor, facts: Facts): boolean {
  const list = body.sub(body.u16());
  const type = list.u8();
  const name = list.latin1(list.u16());
  if (list.overrun || list.left > 0 || type !== 0 || !isPrintable(name)) return false;
  facts.sni = name.toLowerCase();
  return true;
}

function isPrintable(name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    if (code <= 0x20 || code >= 0x7f) return false;
  }
  return name !== '';
}

/** RFC 7301 section 3.1. Reads one name over the limit, so that the list counts as truncated; the rest is skipped. */
function readAlpn(body: Cursor, facts: Facts): boolean {
  const list = body.sub(body.u16());
  const names: string[] = [];
  while (list.left > 0 && names.length <= factLimits.namesMax) {
    const name = list.latin1(list.u8());
    if (name === '') return false;
    if (!isReservedName(name)) names.push(name);
  }
  facts.alpn = names;
  return !list.overrun;
}

/** GREASE values 0A0A, 1A1A … FAFA (RFC 8701 section 2). */
function isReservedName(name: string): boolean {
  return name.length === 2 && name[0] === name[1] && (name.charCodeAt(0) & 0x0f) === 0x0a;
}

/** RFC 8446 section 4.2.1 */
function readVersions(body: Cursor, facts: Facts): boolean {
  const list = body.sub(body.u8());
  facts.versions = readVersionNames(list);
  return !list.overrun;
}

/** RFC 9849 section 5: present, real or GREASE. Routing uses the outer name, so the content is not checked. */
function readEch(body: Cursor, facts: Facts): boolean {
  facts.ech = true;
  return body.skip(body.left);
}

const names: ReadonlyMap<number, string> = new Map([
  [0x0300, 'ssl3'],
  [0x0301, '1.0'],
  [0x0302, '1.1'],
  [0x0303, '1.2'],
  [0x0304, '1.3'],
  [0x0100, '0.9'], // DTLS before RFC 4347; versions count downwards from here
  [0xfeff, '1.0'],
  [0xfefd, '1.2'],
  [0xfefc, '1.3'],
]);

/** Drafts and GREASE values (RFC 8701) are skipped. */
function readVersionNames(list: Cursor): string[] {
  const known: string[] = [];
  while (list.left > 0) {
    const name = names.get(list.u16());
    if (name !== undefined) known.push(name);
  }
  return known;
}

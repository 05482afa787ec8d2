/** DTLS: a ClientHello, complete or its first fragment. */
import type { FactsAnswer } from '../model/facts.js';
import type { Protocol } from '../model/protocol.js';
import { clientHello, helloBytesMax, helloHeaderBytes, readClientHello } from './client-hello.js';
import { asBuffer, Cursor } from './cursor.js';
import { assembled, type Fragment } from './fragments.js';

/** RFC 6347 section 4.1: type, version, epoch, sequence number, length. */
const recordHeaderBytes = 13;
/** RFC 6347 section 4.2.2: the TLS handshake header, then message number, fragment offset and length. */
const fragmentHeaderBytes = 12;
const handshakeRecord = 22;
/** Upper bound on the fragments of a hello. */
const fragmentsMax = 64;

/** Versions count downwards from fe ff; 01 00 predates RFC 4347 and some VPNs still use it. */
const version = '(?:\\xfe[\\xfc-\\xff]|\\x01\\x00)';

export const dtls: Protocol = {
  id: 'dtls',
  transports: ['udp'],
  spansDatagrams: true,
  rank: 10,
  signature: {
    // Epoch 0; message number 0, or 1 after a HelloVerifyRequest. DTLS 1.3 starts as 1.2 does (RFC 9147).
    patterns: [`^\\x16${version}\\x00\\x00[^]{6}[^]{2}\\x01[^]{3}\\x00[\\x00\\x01]\\x00{3}[^]{3}${version}`],
    checks: [
      'u16be(11) + 13 <= total',
      'u24be(22) + 12 <= u16be(11)',
      'u24be(22) <= u24be(14)',
      'u24be(22) >= 2',
    ],
  },
  factNames: ['sni', 'alpn', 'versions', 'ech'],
  words: 'a handshake record (16 FE FC-FF, or 16 01 00) of epoch 0 that begins a ClientHello',
  source: 'RFC 6347 section 4, RFC 9147 section 5.3',
  facts: dtlsFacts,
};

/** Facts of the hello, reassembled from all fragments present. */
export function dtlsFacts(bytes: Uint8Array): FactsAnswer {
  const hello = reassemble(asBuffer(bytes));
  if (hello === 'broken') return { verdict: 'broken', facts: {} };
  if (typeof hello === 'number') return { verdict: 'more', bytesNeeded: hello, facts: {} };
  const facts = readClientHello(new Cursor(hello), { cookie: true });
  return facts ? { verdict: 'facts', facts } : { verdict: 'broken', facts: {} };
}

interface FragmentRecord extends Fragment {
  /** Total length of the message. */
  readonly helloBytes: number;
  /** Offset of the next record. */
  readonly end: number;
}

/** The hello without its header, or the number of bytes needed in total. Its fragments may come in any order, and again. */
function reassemble(bytes: Buffer): Buffer | number | 'broken' {
  const fragments: Fragment[] = [];
  let [have, due] = [0, 0];
  for (let position = 0; fragments.length < fragmentsMax; ) {
    const record = recordAt(bytes, position);
    if (typeof record === 'number' || record === 'broken') return record;
    const { helloBytes, offset, data, end } = record;
    if (position === 0) due = helloBytes;
    const isOfIt = helloBytes === due && offset + data.length <= due;
    if (due > helloBytesMax || !isOfIt || data.length === 0) return 'broken';
    fragments.push({ offset, data });
    have += data.length;
    const hello = have < due ? undefined : assembled(fragments);
    if (hello === null) return 'broken';
    if (hello?.length === due) return hello;
    position = end;
  }
  return 'broken';
}

/** One fragment per record, as all clients send it. */
function recordAt(bytes: Buffer, position: number): FragmentRecord | number | 'broken' {
  const payload = position + recordHeaderBytes;
  if (bytes.length < payload) return payload;
  const end = payload + bytes.readUInt16BE(payload - 2);
  if (bytes[position] !== handshakeRecord || end < payload + fragmentHeaderBytes) return 'broken';
  if (bytes.length < end) return end;
  const data = bytes.subarray(payload + fragmentHeaderBytes, end);
  const isWhole = bytes.readUIntBE(payload + helloHeaderBytes + 5, 3) === data.length;
  if (bytes[payload] !== clientHello || !isWhole) return 'broken';
  return {
    helloBytes: bytes.readUIntBE(payload + 1, 3),
    offset: bytes.readUIntBE(payload + helloHeaderBytes + 2, 3),
    data,
    end,
  };
}

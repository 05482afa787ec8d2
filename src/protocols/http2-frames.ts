/** Extracts the first header block of an HTTP/2 connection (RFC 9113 sections 4.1, 6.2 and 6.10). */
import { asBuffer } from './cursor.js';

export const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

/** Upper bound on preface and frames before the end of the first header block. */
const openingBytesMax = 65_536;
const framesMax = 256;
const headerBytes = 9;

const types = { headers: 1, settings: 4, continuation: 9 } as const;
const flags = { endHeaders: 0x04, padded: 0x08, priority: 0x20 } as const;
const priorityBytes = 5;

/** The complete block, or that more bytes are needed, or that there is none within the limits. */
export type HeaderBlock =
  | { readonly verdict: 'block'; readonly block: Buffer }
  | { readonly verdict: 'more'; readonly bytesNeeded: number }
  | { readonly verdict: 'no' };

interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly payload: Buffer;
}

export function readHeaderBlock(bytes: Uint8Array): HeaderBlock {
  const opening = asBuffer(bytes.subarray(0, openingBytesMax));
  const fragments: Buffer[] = [];
  let at = preface.length;
  for (let frames = 0; frames < framesMax; frames++) {
    const length = opening.length < at + headerBytes ? 0 : opening.readUIntBE(at, 3);
    const end = at + headerBytes + length;
    if (end > openingBytesMax) return { verdict: 'no' };
    if (end > opening.length) return { verdict: 'more', bytesNeeded: end };
    const frame = frameAt(opening, at, end);
    if (!isExpected(frame, at === preface.length, fragments.length > 0)) return { verdict: 'no' };
    const fragment = fragmentOf(frame);
    if (fragment) fragments.push(fragment);
    if (fragment && frame.flags & flags.endHeaders)
      return { verdict: 'block', block: Buffer.concat(fragments) };
    at = end;
  }
  return { verdict: 'no' };
}

const frameAt = (opening: Buffer, at: number, end: number): Frame => ({
  type: opening.readUInt8(at + 3),
  flags: opening.readUInt8(at + 4),
  payload: opening.subarray(at + headerBytes, end),
});

/** The first frame must be SETTINGS; a block's HEADERS and CONTINUATION frames must be contiguous. */
function isExpected({ type }: Frame, isFirst: boolean, isWithinBlock: boolean): boolean {
  if (isFirst) return type === types.settings;
  return (type === types.continuation) === isWithinBlock;
}

/** The header block fragment of a HEADERS or CONTINUATION frame; null for other types. */
function fragmentOf({ type, flags: set, payload }: Frame): Buffer | null {
  if (type === types.continuation) return payload;
  if (type !== types.headers) return null;
  const padding = set & flags.padded ? (payload[0] ?? 0) : 0;
  const start = (set & flags.padded ? 1 : 0) + (set & flags.priority ? priorityBytes : 0);
  return payload.subarray(start, payload.length - padding);
}

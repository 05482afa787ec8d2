/**
 * HTTP/2 at a proxy that serves CONNECT in HTTP/1.1 alone: finds the first request of a connection, and answers it. Its
 * fields are not read, so a header block is not unpacked.
 */
import { asBuffer } from '../protocols/cursor.js';
import { preface } from '../protocols/http2-frames.js';
import { refusals } from './refusals.js';

const frameHeaderBytes = 9;
const types = { data: 0, headers: 1, settings: 4, goaway: 7 } as const;
const flags = { ack: 0x01, endStream: 0x01, endHeaders: 0x04 } as const;
/** RFC 9113 section 7. */
const errors = { none: 0x0, http11Required: 0xd } as const;

export interface Http2Opening {
  /** Stream of the first request; 0: none has begun. */
  readonly stream: number;
  /** The client's SETTINGS are there, and want an acknowledgement. */
  readonly hasSettings: boolean;
}

/** Of what has come so far. */
export function readHttp2(bytes: Uint8Array): Http2Opening {
  const opening = asBuffer(bytes);
  let hasSettings = false;
  let at = preface.length;
  while (at + frameHeaderBytes <= opening.length) {
    const type = opening.readUInt8(at + 3);
    const end = at + frameHeaderBytes + opening.readUIntBE(at, 3);
    if (type === types.headers) return { stream: opening.readUInt32BE(at + 5) & 0x7fff_ffff, hasSettings };
    hasSettings ||= type === types.settings && end <= opening.length;
    at = end;
  }
  return { stream: 0, hasSettings };
}

/** 501 on the stream of the request; without one, that HTTP/1.1 is required (RFC 9113 section 7). */
export function refuseHttp2({ stream, hasSettings }: Http2Opening, why: string): Buffer {
  const settings = [
    frame(types.settings, 0, 0, Buffer.alloc(0)),
    ...(hasSettings ? [frame(types.settings, flags.ack, 0, Buffer.alloc(0))] : []),
  ];
  if (stream === 0) return Buffer.concat([...settings, goaway(0, errors.http11Required)]);
  return Buffer.concat([
    ...settings,
    frame(types.headers, flags.endHeaders, stream, fields),
    frame(types.data, flags.endStream, stream, Buffer.from(`${why}\n`)),
    goaway(stream, errors.none),
  ]);
}

/** RFC 7541 section 6.2.2: literals without indexing, whose names are in the static table (appendix A). */
const fields = Buffer.concat([
  field([0x08], String(refusals.version.status)), // :status
  field([0x0f, 0x07], 'CONNECT'), // allow
  field([0x0f, 0x10], 'text/plain'), // content-type
]);

function field(name: readonly number[], value: string): Buffer {
  return Buffer.from([...name, value.length, ...Buffer.from(value)]);
}

function goaway(stream: number, error: number): Buffer {
  const payload = Buffer.alloc(8);
  payload.writeUInt32BE(stream, 0);
  payload.writeUInt32BE(error, 4);
  return frame(types.goaway, 0, 0, payload);
}

function frame(type: number, set: number, stream: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(frameHeaderBytes);
  header.writeUIntBE(payload.length, 0, 3);
  header.writeUInt8(type, 3);
  header.writeUInt8(set, 4);
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, payload]);
}

/**
 * HTTP/2 clients that send no request before the server's SETTINGS, which RFC 9113 section 3.4 allows and most gRPC
 * clients do. A silence after the client's SETTINGS identifies them.
 */
import { asBuffer } from './cursor.js';
import { preface } from './http2-frames.js';

/** Silence after the client's SETTINGS: below what a person notices, above the delay of a request sent right behind. */
export const quietMs = 200;

const frameHeaderBytes = 9;
const settings = 4;
const headers = 1;

/** Whether the client's SETTINGS are complete, only whole frames follow, and no request has begun. */
export function mayAwaitServer(bytes: Uint8Array): boolean {
  const opening = asBuffer(bytes);
  let at = preface.length;
  while (at + frameHeaderBytes <= opening.length) {
    const type = opening.readUInt8(at + 3);
    if (type === headers || (at === preface.length && type !== settings)) return false;
    at += frameHeaderBytes + opening.readUIntBE(at, 3);
  }
  return at === opening.length && at > preface.length;
}

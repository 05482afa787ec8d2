/**
 * Clients of HTTP/2 that ask for nothing before the server's SETTINGS are there: RFC 9113 section 3.4 lets them, and most
 * of gRPC do. What they speak is settled by their silence.
 */
import { asBuffer } from './cursor.js';
import { preface } from './http2-frames.js';

/** How long after the client's SETTINGS: less than a person notices, more than a request behind them takes. */
export const quietMs = 200;

const frameHeaderBytes = 9;
const settings = 4;
const headers = 1;

/** The client's SETTINGS are there, whole frames alone came after them, and no request has begun. */
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

/** A STUN binding request (RFC 8489). */
import { randomBytes } from 'node:crypto';
import { Cursor } from '../../protocols/cursor.js';
import type { HealthCheck, Outcome } from '../check.js';
import { judged } from '../judged.js';
import { unwell, well } from '../outcomes.js';
import { overTransport, type TransportOptions, transportField } from '../transport.js';

export const stun: HealthCheck<TransportOptions> = {
  words: 'answers a STUN binding request',
  over: overTransport,
  options: transportField,
  run(line) {
    const request = encodeBinding(randomBytes(TRANSACTION_BYTES));
    line.write(request);
    return judged(line, (datagram) => judgeBinding(datagram, request));
  },
};

const TRANSACTION_BYTES = 12;
const HEADER_BYTES = 20;
/** Magic cookie and transaction id, which the response repeats. */
const SAME_FROM = 4;

const REQUEST = 0x0001;
const SUCCESS = 0x0101;
const FAILURE = 0x0111;
const ERROR_CODE = 0x0009;

export function encodeBinding(transaction: Uint8Array): Buffer {
  const head = Buffer.alloc(HEADER_BYTES - TRANSACTION_BYTES);
  head.writeUInt16BE(REQUEST, 0);
  head.writeUInt32BE(0x2112a442, SAME_FROM);
  return Buffer.concat([head, transaction]);
}

/** Null: no response to the request; others are passed over. */
export function judgeBinding(datagram: Buffer, request: Buffer): Outcome | null {
  const isAnswer = datagram.subarray(SAME_FROM, HEADER_BYTES).equals(request.subarray(SAME_FROM));
  // On a stream the header may be there before the rest.
  if (!isAnswer || datagram.length < HEADER_BYTES) return null;
  const cursor = new Cursor(datagram);
  const type = cursor.u16();
  const length = cursor.u16();
  if (length !== datagram.length - HEADER_BYTES || length % 4 !== 0) return null;
  if (type === SUCCESS) return well;
  if (type !== FAILURE) return null;
  cursor.skip(HEADER_BYTES - SAME_FROM);
  const code = errorCode(cursor);
  return unwell(code === null ? 'answered with an error' : `answered with error ${code}`);
}

function errorCode(attributes: Cursor): number | null {
  while (attributes.left >= 4) {
    const type = attributes.u16();
    const length = attributes.u16();
    const value = attributes.sub(length + ((4 - (length % 4)) % 4));
    if (type !== ERROR_CODE || length < 4) continue;
    value.skip(2);
    return (value.u8() & 0x07) * 100 + (value.u8() % 100);
  }
  return null;
}

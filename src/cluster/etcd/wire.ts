/**
 * Messages of etcd's JSON gateway (etcd docs, "gRPC gateway"; protobuf's JSON mapping): keys and values are base64, int64
 * are texts, and fields with their default are left out. Pure.
 */
import { isUtf8 } from 'node:buffer';

export interface KeyValue {
  /** As text; of a key that is no UTF-8 the bytes are escaped (`\xff`). */
  readonly key: string;
  readonly value: Buffer;
  /** Revision of its last change. Revisions stay far below 2^53. */
  readonly modRevision: number;
  /** That it lives under; absent: none, or not known any more. */
  readonly lease?: string;
}

export interface Listing {
  readonly items: readonly KeyValue[];
  /** Of the whole store when it was read. */
  readonly revision: number;
  /** There are more keys than were asked for. */
  readonly more: boolean;
}

export type WatchEvent =
  | { readonly type: 'put'; readonly item: KeyValue }
  | { readonly type: 'delete'; readonly key: string; readonly modRevision: number };

/** One message of a watch. */
export type WatchMessage =
  | { readonly type: 'created' }
  | { readonly type: 'events'; readonly events: readonly WatchEvent[]; readonly revision: number }
  /** `compactRevision` 0: for another reason than compaction. */
  | { readonly type: 'canceled'; readonly reason: string; readonly compactRevision: number };

export type Json = Readonly<Record<string, unknown>>;

export const encoded = (bytes: string | Uint8Array): string =>
  (typeof bytes === 'string' ? Buffer.from(bytes, 'utf8') : Buffer.from(bytes)).toString('base64');

export const decoded = (text: unknown): Buffer => Buffer.from(typeof text === 'string' ? text : '', 'base64');

/** A prefix as a range: its end is the prefix with the last byte that can be increased, increased. */
export function rangeOf(prefix: string): { readonly key: string; readonly range_end: string } {
  const bytes = Buffer.from(prefix, 'utf8');
  let length = bytes.length;
  while (length > 0 && bytes[length - 1] === 0xff) length -= 1;
  // Both a zero byte: all keys.
  if (length === 0) return { key: encoded('\0'), range_end: encoded('\0') };
  const end = Buffer.from(bytes.subarray(0, length));
  end[length - 1] = (end[length - 1] as number) + 1;
  return { key: encoded(bytes), range_end: encoded(end) };
}

export const objectIn = (value: unknown): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};

export const listIn = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

export const numberIn = (value: unknown): number => {
  const number = Number(value ?? 0);
  return Number.isSafeInteger(number) ? number : 0;
};

/** An int64 that may pass 2^53, such as a lease's id. */
export const idIn = (value: unknown): string =>
  typeof value === 'string' && /^-?\d{1,19}$/.test(value) ? value : '';

export const revisionIn = (message: Json): number => numberIn(objectIn(message.header).revision);

export function listingIn(message: Json): Listing {
  return {
    items: listIn(message.kvs).map(itemIn),
    revision: revisionIn(message),
    more: message.more === true,
  };
}

function itemIn(value: unknown): KeyValue {
  const item = objectIn(value);
  const lease = idIn(item.lease);
  return {
    key: keyText(decoded(item.key)),
    value: decoded(item.value),
    modRevision: numberIn(item.mod_revision),
    ...(lease === '' ? {} : { lease }),
  };
}

/** Without events: progress, at an idle watch. */
export function watchMessageIn(message: Json): WatchMessage {
  if (message.canceled === true) {
    const compactRevision = numberIn(message.compact_revision);
    const reason = typeof message.cancel_reason === 'string' ? message.cancel_reason : '';
    return { type: 'canceled', reason, compactRevision };
  }
  if (message.created === true) return { type: 'created' };
  return { type: 'events', events: listIn(message.events).map(eventIn), revision: revisionIn(message) };
}

function eventIn(value: unknown): WatchEvent {
  const event = objectIn(value);
  const item = itemIn(event.kv);
  return event.type === 'DELETE'
    ? { type: 'delete', key: item.key, modRevision: item.modRevision }
    : { type: 'put', item };
}

function keyText(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  return [...bytes].map(byteText).join('');
}

const byteText = (byte: number): string =>
  byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`;

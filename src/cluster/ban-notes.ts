/**
 * Bans that a node tells the others of, at `PREFIX/bans/NODE` → `{"signed": TEXT, "hmac": HEX}`. TEXT is
 * `{"revision": 812, "bans": [["192.0.2.7", 60000], …]}`, with the milliseconds that each has left; the HMAC-SHA256 (RFC 2104)
 * is over key and text. No clock is compared with another: how old a text is follows from etcd's revisions. Pure.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import { plainAddress } from '../base/network.js';
import { banLimits } from '../model/ban.js';
import type { BanNote } from '../model/ban-note.js';
import type { KeyValue } from './etcd/wire.js';
import { NAME_PATTERN } from './nodes.js';
import { readObject, textWithin } from './values.js';

export const noteLimits = {
  /** Of one node. */
  bansMax: 1024,
  /** Of one value. */
  bytesMax: 96 * 1024,
  /**
   * Writes of the whole store between the signature of a text and its own write. Whoever writes it again later is refused:
   * that is what bounds a replay.
   */
  writesMax: 10_000,
} as const;

/** What a key says; `reason`: why it is not taken. */
export type NoteRead =
  | { readonly node: string; readonly bans: readonly BanNote[] }
  | { readonly refused: RefusedNote; readonly fault: string };

/** `signature`: of another key, or of nobody. `old`: signed well, and written again later. */
export const refusedNotes = ['signature', 'old', 'malformed'] as const;
export type RefusedNote = (typeof refusedNotes)[number];

export const notesPrefix = (prefix: string): string => `${prefix}/bans/`;

export const noteKey = (prefix: string, node: string): string => `${notesPrefix(prefix)}${node}`;

/** `revision`: of the store, just now. */
export function formatNote(secret: string, key: string, revision: number, bans: readonly BanNote[]): string {
  const rows = bans.slice(0, noteLimits.bansMax).map(({ address, leftMs }) => [address, Math.round(leftMs)]);
  const signed = JSON.stringify({ revision, bans: rows });
  return JSON.stringify({ signed, hmac: hmacOf(secret, key, signed).toString('hex') });
}

export function parseNote(secret: string, prefix: string, { key, value, modRevision }: KeyValue): NoteRead {
  const node = key.slice(notesPrefix(prefix).length);
  if (!NAME_PATTERN.test(node)) return malformed(`expected a key such as ${noteKey(prefix, 'node-1')}`);
  const read = readObject(value, noteLimits.bytesMax);
  if ('fault' in read) return malformed(read.fault);
  const { signed, hmac } = read.object;
  if (typeof signed !== 'string' || textWithin(hmac, HMAC_CHARACTERS) === null)
    return malformed('expected `signed` and `hmac`');
  const mac = Buffer.from(hmac as string, 'hex');
  const expected = hmacOf(secret, key, signed);
  if (mac.length !== expected.length || !timingSafeEqual(mac, expected))
    return { refused: 'signature', fault: 'not signed with the `cluster_key` of this node' };
  return parseSigned(node, signed, modRevision);
}

const HMAC_CHARACTERS = 64;

function parseSigned(node: string, signed: string, modRevision: number): NoteRead {
  const read = readObject(Buffer.from(signed), noteLimits.bytesMax);
  if ('fault' in read) return malformed(read.fault);
  const { revision, bans } = read.object;
  if (!Number.isSafeInteger(revision) || !Array.isArray(bans) || bans.length > noteLimits.bansMax)
    return malformed(`expected a revision and up to ${noteLimits.bansMax} bans`);
  if (!isTimely(Number(revision), modRevision))
    return { refused: 'old', fault: 'what was signed earlier has been written again' };
  const notes = bans.map(banIn);
  const isWhole = (each: BanNote | null): each is BanNote => each !== null;
  return notes.every(isWhole)
    ? { node, bans: notes }
    : malformed('bans: expected addresses with milliseconds');
}

/** Whether what was signed at a revision may have been written first at the other. */
export const isTimely = (signedAt: number, writtenAt: number): boolean =>
  writtenAt > signedAt && writtenAt - signedAt <= noteLimits.writesMax;

function banIn(row: unknown): BanNote | null {
  if (!Array.isArray(row) || row.length !== 2) return null;
  const [address, leftMs] = row;
  if (typeof address !== 'string' || isIP(address) === 0 || address.includes('%')) return null;
  if (!Number.isInteger(leftMs) || leftMs <= 0 || leftMs > banLimits.forMsMax) return null;
  return { address: plainAddress(address), leftMs };
}

const hmacOf = (secret: string, key: string, signed: string): Buffer =>
  createHmac('sha256', secret).update(`${key}\0${signed}`).digest();

const malformed = (fault: string): NoteRead => ({ refused: 'malformed', fault });

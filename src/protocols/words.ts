/** Signatures in words, for lists that people read. */
import type { Signature } from '../model/protocol.js';
import { protocolById } from './index.js';

/** Longer ones are cut. */
const CHARACTERS_MAX = 200;

/** `signature`: null for a built-in. `validator`: whether a module decides in the end. */
export function signatureWords(id: string, signature: Signature | null, validator: boolean): string {
  const words = signature === null ? (protocolById(id)?.words ?? '') : partsOf(signature).join('; ');
  const all = validator ? [words, 'confirmed by a validator'].join('; ') : words;
  return all.length > CHARACTERS_MAX ? `${all.slice(0, CHARACTERS_MAX - 1)}…` : all;
}

function partsOf({
  patterns,
  startBytes,
  offset = 0,
  contains,
  containsWithin,
  minBytes,
  maxBytes,
}: Signature) {
  const parts: string[] = [];
  if (startBytes) parts.push(`${startBytes.join(' or ')}${offset > 0 ? ` at offset ${offset}` : ''}`);
  if (patterns) parts.push(patterns.join(' or '));
  if (contains && contains.length > 0) {
    parts.push(`${contains.join(' or ')} within ${containsWithin ?? 1024} bytes`);
  }
  if (minBytes !== undefined && minBytes > 0) parts.push(`${minBytes} bytes or more`);
  if (maxBytes !== undefined) parts.push(`at most ${maxBytes} bytes`);
  return parts;
}

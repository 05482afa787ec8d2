/** Validates the signature of a custom protocol as a whole. */
import type { Signature } from '../../model/protocol.js';
import { checkSignature } from '../../protocols/dfa/signature.js';
import type { Report } from '../report.js';
import type { ProtocolEntry } from '../schema/protocols.js';
import type { Entry } from './shape.js';

const MATCHER_KEYS = [
  'start_bytes',
  'offset',
  'contains',
  'regex',
  'min_bytes',
  'max_bytes',
  'validator',
] as const satisfies readonly (keyof ProtocolEntry)[];

/** Any matcher key makes the protocol custom, even under a built-in's name. */
export function isCustom(entry: ProtocolEntry): boolean {
  return MATCHER_KEYS.some((key) => entry[key] !== undefined);
}

/** Null when it can not be recognised (reported). */
export function resolveSignature(
  { path, value }: Entry<ProtocolEntry>,
  identifyBytes: number,
  report: Report,
): Signature | null {
  const { start_bytes, regex, contains = [], validator } = value;
  const signature = signatureOf(value, identifyBytes);
  if (start_bytes === undefined && regex === undefined && contains.length === 0) {
    // A validator without other matchers is called from the first byte on.
    if (validator !== undefined) return { ...signature, patterns: ['^[^]'] };
    report.missing(
      path,
      'says nothing to recognise it by: give `start_bytes`, `regex`, `contains` or `validator`',
    );
    return null;
  }
  const key = regex ? 'regex' : start_bytes ? 'start_bytes' : 'contains';
  for (const message of checkSignature(signature)) report.problem([...path, key], message);
  return signature;
}

function signatureOf(entry: ProtocolEntry, identifyBytes: number): Signature {
  const { start_bytes, offset, contains = [], regex, min_bytes, max_bytes } = entry;
  return {
    ...(start_bytes && { startBytes: start_bytes }),
    ...(offset !== undefined && { offset }),
    ...(contains.length > 0 && { contains, containsWithin: identifyBytes }),
    ...(regex && { patterns: regex }),
    ...(min_bytes !== undefined && { minBytes: min_bytes }),
    ...(max_bytes !== undefined && { maxBytes: max_bytes }),
  };
}

/**
 * Linear arithmetic on fields at fixed offsets, such as `u16be(2) == u8(4) + 5`: compiled to the flat form that both
 * engines evaluate. A check is decided as soon as its fields are present.
 *
 * Flat layout, also read by native/classifier/checks.h. Per check: relation, prefix bytes needed, constant, number of
 * terms; per term: field, offset, factor. A check holds when constant + Σ factor × field has that relation to 0.
 * Order: by bytes needed, checks on the datagram's total length last.
 */

import type { Verdict } from '../../model/protocol.js';

/** Indices are part of the layout. */
export const relations: readonly string[] = ['==', '!=', '<', '<=', '>', '>='];

/**
 * Field → size in bytes; indices are part of the layout. `total`, the length of a datagram, is known only at its end.
 */
export const fields = [
  { name: 'u8', bytes: 1 },
  { name: 'u16be', bytes: 2 },
  { name: 'u16le', bytes: 2 },
  { name: 'u24be', bytes: 3 },
  { name: 'u32be', bytes: 4 },
  { name: 'u32le', bytes: 4 },
  { name: 'total', bytes: 0 },
] as const;

export const totalField = fields.length - 1;

/** Keeps sums exact in a double: 16 terms of 2^32 × 2^16. */
const factorMax = 0x1_0000;
const constantMax = 0x7fff_ffff;
const termsMax = 16;
const offsetMax = 0xffff;

interface Term {
  readonly field: number;
  readonly offset: number;
  readonly factor: number;
}

interface Sum {
  readonly constant: number;
  readonly terms: readonly Term[];
}

export interface Check extends Sum {
  readonly relation: number;
  /** Prefix length needed to evaluate the check. */
  readonly bytes: number;
}

export type ParsedCheck =
  | { readonly ok: true; readonly check: Check }
  | { readonly ok: false; readonly problem: string };

export function parseCheck(text: string): ParsedCheck {
  try {
    return { ok: true, check: parse(text) };
  } catch (error) {
    return { ok: false, problem: error instanceof Error ? error.message : String(error) };
  }
}

export function flattenChecks(checks: readonly Check[]): Int32Array {
  const ordered = checks.toSorted((a, b) => Number(usesTotal(a)) - Number(usesTotal(b)) || a.bytes - b.bytes);
  return Int32Array.from(
    ordered.flatMap(({ relation, bytes, constant, terms }) => [
      relation,
      bytes,
      constant,
      terms.length,
      ...terms.flatMap(({ field, offset, factor }) => [field, offset, factor]),
    ]),
  );
}

export const usesTotal = ({ terms }: Sum): boolean => terms.some(({ field }) => field === totalField);

function parse(text: string): Check {
  const [left, relation, right, ...rest] = text.split(/(==|!=|<=|>=|<|>)/);
  if (left === undefined || relation === undefined || right === undefined || rest.length > 0) {
    throw new SyntaxError(`expected one of ${relations.join(' ')} between two sums`);
  }
  const sum = difference(parseSum(left), parseSum(right));
  if (sum.terms.length === 0) throw new SyntaxError('names no field');
  if (sum.terms.length > termsMax) throw new SyntaxError(`more than ${termsMax} fields`);
  checkInteger(sum.constant, constantMax);
  const number = relations.indexOf(relation);
  return { ...sum, relation: number, bytes: bytesOf(sum.terms) };
}

/** Prefix length needed to read all terms. */
export function bytesOf(terms: readonly Term[]): number {
  return Math.max(...terms.map(({ field, offset }) => offset + (fields[field]?.bytes ?? 0)));
}

function difference(left: Sum, right: Sum): Sum {
  const negated = right.terms.map((term) => ({ ...term, factor: -term.factor }));
  return { constant: left.constant - right.constant, terms: [...left.terms, ...negated] };
}

function parseSum(text: string): Sum {
  const parts = text.trim().split(/\s*([+-])\s*/);
  // A leading sign leaves an empty part.
  const signed = parts.length > 1 && parts[0] === '' ? parts.slice(1) : ['+', ...parts];
  let constant = 0;
  const terms: Term[] = [];
  for (let i = 0; i < signed.length; i += 2) {
    const sign = signed[i] === '-' ? -1 : 1;
    const product = parseProduct(signed[i + 1] ?? '');
    if ('field' in product) terms.push({ ...product, factor: sign * product.factor });
    else constant += sign * product.constant;
  }
  return { constant, terms };
}

/** `5`, `u8(4)`, `4 * u8(4)` or `u8(4) * 4`. */
function parseProduct(text: string): Term | { readonly constant: number } {
  const [first = '', second, ...rest] = text.split('*').map((factor) => factor.trim());
  if (rest.length > 0) throw new SyntaxError(`a sum of fields times numbers is expected, not "${text}"`);
  if (second === undefined) return isNumber(first) ? { constant: parseNumber(first) } : parseField(first, 1);
  const [number, field] = isNumber(first) ? [first, second] : [second, first];
  return parseField(field, checkInteger(parseNumber(number), factorMax));
}

function parseField(text: string, factor: number): Term {
  const [, name = text, offset] = /^(\w+)\s*\(\s*(\w*)\s*\)$/.exec(text) ?? [];
  const field = fields.findIndex((known) => known.name === name);
  if (field < 0 || (field === totalField) !== (offset === undefined)) {
    const known = fields.map(({ name: each }) => (each === 'total' ? each : `${each}(OFFSET)`));
    throw new SyntaxError(`"${text}" is not a number nor one of ${known.join(' ')}`);
  }
  return { field, offset: offset === undefined ? 0 : checkInteger(parseNumber(offset), offsetMax), factor };
}

const isNumber = (text: string): boolean => /^(?:\d+|0x[0-9a-f]+)$/i.test(text);

function parseNumber(text: string): number {
  if (!isNumber(text)) throw new SyntaxError(`"${text}" is not a number`);
  return Number(text);
}

function checkInteger(value: number, max: number): number {
  if (Math.abs(value) > max) throw new SyntaxError(`${value} is too large: at most ${max}`);
  return value;
}

/** Whether all checks hold. `ended`: the prefix is complete, so its total length is known. */
export function evaluateChecks(checks: Int32Array, prefix: Buffer, ended: boolean): Verdict {
  for (const check of readChecks(checks)) {
    if (check.bytes > prefix.length || (usesTotal(check) && !ended)) return 'more';
    const sum = check.terms.reduce(
      (sum, term) => sum + term.factor * readField(term, prefix),
      check.constant,
    );
    if (!isRelated(sum, check.relation)) return 'no';
  }
  return 'match';
}

function* readChecks(flat: Int32Array): Generator<Check> {
  let at = 0;
  const next = (): number => flat[at++] ?? 0;
  while (at < flat.length) {
    const [relation, bytes, constant, count] = [next(), next(), next(), next()];
    const terms = Array.from({ length: count }, () => ({ field: next(), offset: next(), factor: next() }));
    yield { relation, bytes, constant, terms };
  }
}

function readField({ field, offset }: Term, prefix: Buffer): number {
  switch (fields[field]?.name) {
    case 'u8':
      return prefix.readUInt8(offset);
    case 'u16be':
      return prefix.readUInt16BE(offset);
    case 'u16le':
      return prefix.readUInt16LE(offset);
    case 'u24be':
      return prefix.readUIntBE(offset, 3);
    case 'u32be':
      return prefix.readUInt32BE(offset);
    case 'u32le':
      return prefix.readUInt32LE(offset);
    default:
      return prefix.length;
  }
}

function isRelated(sum: number, relation: number): boolean {
  switch (relations[relation]) {
    case '==':
      return sum === 0;
    case '!=':
      return sum !== 0;
    case '<':
      return sum < 0;
    case '<=':
      return sum <= 0;
    case '>':
      return sum > 0;
    default:
      return sum >= 0;
  }
}

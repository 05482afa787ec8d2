/**
 * Field types of the configuration. Each helper makes one schema row: input format, bounds, default and
 * documentation; output is in milliseconds, bytes or plain values.
 */
import { z } from 'zod';
import { formatDuration, parseDuration } from '../../base/duration.js';
import { formatSize, parseSize } from '../../base/size.js';
import { visible } from '../../base/text.js';
import { expectedGot, withFault } from '../messages.js';
import { suggest } from '../suggest.js';

export const DURATION_PATTERN = '^(\\d+(\\.\\d+)?(ms|s|m|h))+$';

/** The `error` option of a schema: one sentence for every issue. */
export function expecting(expected: string) {
  return { error: (issue: { input?: unknown }) => expectedGot(expected, issue.input) };
}

/** A text converted by `parse`, which returns null for invalid text. */
function parsed<T>(
  expected: string,
  parse: (text: string) => T | null,
  fault: (text: string) => string | null = () => null,
) {
  return z.string(expecting(expected)).transform((text, context): T => {
    const value = parse(text);
    if (value !== null) return value;
    context.issues.push({
      code: 'custom',
      input: text,
      message: withFault(expectedGot(expected, text), fault(text)),
    });
    return z.NEVER;
  });
}

/** `meaning`: documentation; `values`: the permitted values, for the reference. */
function documented<Schema extends z.ZodType>(schema: Schema, meaning: string, values: string): Schema {
  return schema.meta({ description: meaning, 'x-values': values });
}

export interface DurationBounds {
  readonly min: string;
  readonly max: string;
}

/** Milliseconds. */
export function duration(byDefault: string, meaning: string, bounds: DurationBounds) {
  const { schema, values } = durationWithin(bounds);
  return documented(schema.prefault(byDefault), meaning, values).meta({ pattern: DURATION_PATTERN });
}

/** Milliseconds, or undefined. */
export function optionalDuration(meaning: string, bounds: DurationBounds) {
  const { schema, values } = durationWithin(bounds);
  return documented(schema.optional(), meaning, values).meta({ pattern: DURATION_PATTERN });
}

function durationWithin(bounds: DurationBounds) {
  const minMs = parseDuration(bounds.min) ?? 0;
  const maxMs = parseDuration(bounds.max) ?? 0;
  const values = `duration, ${formatDuration(minMs)} to ${formatDuration(maxMs)}`;
  const expected = `a duration such as \`250ms\`, \`5s\`, \`30m\` or \`1h\`, from ${bounds.min} to ${bounds.max}`;
  const schema = parsed(expected, (text) => {
    const ms = parseDuration(text);
    return ms !== null && ms >= minMs && ms <= maxMs ? ms : null;
  });
  return { schema, values };
}

/** Bytes. */
export function size(byDefault: number, meaning: string, min: number, max: number) {
  const expected = `bytes, or a size such as \`64KiB\`, from ${formatSize(min)} to ${formatSize(max)}`;
  const within = (bytes: number | null) => (bytes !== null && bytes >= min && bytes <= max ? bytes : null);
  const number = z.int(expecting(expected)).min(min, expecting(expected)).max(max, expecting(expected));
  const text = parsed(expected, (written) => within(parseSize(written)));
  const schema = z.union([number, text], expecting(expected)).prefault(byDefault);
  return documented(schema, meaning, `size, ${formatSize(min)} to ${formatSize(max)}`);
}

function bounded(min: number, max: number, expected: string) {
  return z.int(expecting(expected)).min(min, expecting(expected)).max(max, expecting(expected));
}

export function integer(meaning: string, min: number, max: number) {
  return documented(bounded(min, max, `a whole number from ${min} to ${max}`), meaning, `${min} to ${max}`);
}

/** `auto` or a whole number. */
export function integerOrAuto(meaning: string, min: number, max: number) {
  const expected = `\`auto\` or a whole number from ${min} to ${max}`;
  const schema = z.union([z.literal('auto'), bounded(min, max, expected)], expecting(expected));
  return documented(schema.default('auto'), meaning, `\`auto\`, or ${min} to ${max}`);
}

/** 0, which asks for nothing, or a whole number from `min`. */
export function integerOrZero(meaning: string, min: number, max: number) {
  const expected = `0 or a whole number from ${min} to ${max}`;
  const schema = z.union([z.literal(0), bounded(min, max, expected)], expecting(expected));
  return documented(schema.default(0), meaning, `0, or ${min} to ${max}`);
}

export function port(byDefault: number, meaning: string) {
  return integer(meaning, 1, 65_535).default(byDefault);
}

export function flag(byDefault: boolean, meaning: string) {
  return documented(z.boolean(expecting('true or false')).default(byDefault), meaning, 'true, false');
}

export function text(meaning: string, values = 'text') {
  return documented(z.string(expecting(values)), meaning, values);
}

/** A user or a group; empty: none. A number in YAML is one. */
export function account(meaning: string, values: string) {
  const schema = z.union([z.string(), z.int().min(0, expecting(values))], expecting(values));
  return documented(schema.default(''), meaning, values);
}

/** Text in a format that `parse` reads; `fault` returns the specific reason for a malformed one, if known. */
export function form<T>(
  meaning: string,
  expected: string,
  parse: (text: string) => T | null,
  fault?: (text: string) => string | null,
) {
  return documented(parsed(expected, parse, fault), meaning, expected);
}

/** A file that the daemon writes: absolute, since it may be started anywhere. */
export function writtenFile(meaning: string, example: string) {
  return form(meaning, `an absolute path such as \`${example}\``, (path) =>
    path.startsWith('/') && !path.endsWith('/') && !path.includes('\0') ? path : null,
  );
}

export function choice<const Names extends readonly [string, ...string[]]>(names: Names, meaning: string) {
  const listed = names.map((name) => `\`${name}\``).join(', ');
  const error = ({ input }: { input?: unknown }) =>
    typeof input === 'string'
      ? `unknown value \`${input}\`${suggest(input, names)}`
      : expectedGot(`one of ${listed}`, input);
  return documented(z.enum(names, { error }), meaning, listed);
}

export function list<Item extends z.ZodType>(item: Item, meaning: string, values: string) {
  return documented(z.array(item, expecting(`a list: ${values}`)), meaning, `list: ${values}`);
}

/** A list, or a single item without brackets. */
export function oneOrMore<Item extends z.ZodType>(item: Item, meaning: string, values: string) {
  const schema = z.union([item.transform((one) => [one]), z.array(item)], expecting(`${values}, or a list`));
  return documented(schema, meaning, `${values}, or a list`);
}

/**
 * Unknown keys are refused with the nearest known one, or as `wrongKey` says. `example`: shown when the value is not a
 * mapping.
 */
export function mapping<Shape extends z.ZodRawShape>(
  shape: Shape,
  example?: string,
  wrongKey = (key: string) => unknownKey(key, Object.keys(shape)),
) {
  const expected = `a mapping of keys and values${example === undefined ? '' : ` such as \`${example}\``}`;
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? // One line a key: the reader of the issue tells them apart by their order.
          issue.keys.map(wrongKey).join('\n')
        : expectedGot(expected, issue.input),
  });
}

/** A section whose keys are all optional. */
export function section<Shape extends z.ZodRawShape>(shape: Shape, meaning: string, example?: string) {
  return mapping(shape, example).meta({ description: meaning });
}

export function unknownKey(key: string, known: readonly string[]): string {
  return `unknown key \`${visible(key)}\`${suggest(key, known)}`;
}

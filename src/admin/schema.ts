/**
 * JSON Schema (draft 2020-12) as plain data: one description of each body and answer, for the OpenAPI document and for
 * the check of what clients send. The check knows the keywords of this type and no others.
 */

export interface JsonSchema {
  readonly $ref?: string;
  readonly description?: string;
  readonly type?: JsonType | readonly JsonType[];
  readonly enum?: readonly (string | number | boolean | null)[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly minProperties?: number;
  readonly examples?: readonly unknown[];
}

type JsonType = 'null' | 'boolean' | 'integer' | 'number' | 'string' | 'array' | 'object';

export interface SchemaProblem {
  /** `state`, `endpoints[2].weight`; empty for the value itself. */
  readonly path: string;
  readonly message: string;
}

// ---- making schemas

/** All properties are required, and no others are allowed; `optional` names those that may be absent. */
export function object(
  properties: Readonly<Record<string, JsonSchema>>,
  {
    optional = [],
    ...more
  }: { optional?: readonly string[]; description?: string; minProperties?: number } = {},
): JsonSchema {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: 'object', properties, required, additionalProperties: false, ...more };
}

export const list = (items: JsonSchema, description?: string): JsonSchema => ({
  type: 'array',
  items,
  ...(description !== undefined && { description }),
});

export const record = (values: JsonSchema, description?: string): JsonSchema => ({
  type: 'object',
  additionalProperties: values,
  ...(description !== undefined && { description }),
});

export const text = (description?: string): JsonSchema => typed('string', description);
export const integer = (description?: string): JsonSchema => typed('integer', description);
export const number = (description?: string): JsonSchema => typed('number', description);
export const flag = (description?: string): JsonSchema => typed('boolean', description);

export const choice = (values: readonly string[], description?: string): JsonSchema => ({
  ...typed('string', description),
  enum: values,
});

/** The schema, or null. */
export function orNull(schema: JsonSchema): JsonSchema {
  const { type, enum: values } = schema;
  if (type === undefined) throw new Error('a reference can not be made nullable');
  return {
    ...schema,
    type: [...[type].flat(), 'null'],
    ...(values !== undefined && { enum: [...values, null] }),
  };
}

const typed = (type: JsonType, description: string | undefined): JsonSchema => ({
  type,
  ...(description !== undefined && { description }),
});

// ---- checking values

/** The first problems of a value, at most `PROBLEMS_MAX`; empty: it is as described. References are not followed. */
export function problemsOf(schema: JsonSchema, value: unknown): SchemaProblem[] {
  const problems: SchemaProblem[] = [];
  check(schema, value, '', problems);
  return problems;
}

const PROBLEMS_MAX = 20;

function check(schema: JsonSchema, value: unknown, path: string, problems: SchemaProblem[]): void {
  if (problems.length >= PROBLEMS_MAX) return;
  const fault = faultOf(schema, value);
  if (fault !== null) problems.push({ path, message: fault });
  else if (Array.isArray(value)) {
    for (const [index, item] of value.entries())
      check(schema.items ?? {}, item, `${path}[${index}]`, problems);
  } else if (typeof value === 'object' && value !== null) checkEntries(schema, value, path, problems);
}

function checkEntries(schema: JsonSchema, value: object, path: string, problems: SchemaProblem[]): void {
  const { properties = {}, required = [], additionalProperties: rest = true } = schema;
  const below = (key: string) => (path === '' ? key : `${path}.${key}`);
  for (const key of required) {
    if (!Object.hasOwn(value, key)) problems.push({ path: below(key), message: 'is missing' });
  }
  for (const [key, inner] of Object.entries(value)) {
    const own = Object.hasOwn(properties, key) ? properties[key] : undefined;
    if (own !== undefined) check(own, inner, below(key), problems);
    else if (typeof rest === 'object') check(rest, inner, below(key), problems);
    else if (!rest) problems.push({ path: below(key), message: unknownKey(properties) });
  }
}

const unknownKey = (properties: object): string =>
  `is not known here; there is ${Object.keys(properties).join(', ')}`;

/** What is wrong with the value itself, without its entries. */
function faultOf(schema: JsonSchema, value: unknown): string | null {
  const { type, enum: values, minProperties = 0 } = schema;
  if (type !== undefined && ![type].flat().some((each) => isOf(each, value))) return expected(schema);
  if (values !== undefined && !values.includes(value as string)) return expected(schema);
  if (typeof value === 'number' && !isWithin(value, schema.minimum, schema.maximum)) return expected(schema);
  if (typeof value === 'string' && !isWithin(value.length, schema.minLength, schema.maxLength)) {
    return expected(schema);
  }
  const isShort = isOf('object', value) && Object.keys(value as object).length < minProperties;
  return isShort ? `needs one of ${Object.keys(schema.properties ?? {}).join(', ')}` : null;
}

function isOf(type: JsonType, value: unknown): boolean {
  if (type === 'null') return value === null;
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value);
  if (type === 'integer') return Number.isSafeInteger(value);
  return typeof value === type;
}

const isWithin = (size: number, min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY): boolean =>
  size >= min && size <= max;

function expected({ type, enum: values, minimum, maximum, minLength, maxLength }: JsonSchema): string {
  if (values !== undefined) return `expected one of ${values.map(String).join(', ')}`;
  const [least, most, unit] =
    minLength !== undefined || maxLength !== undefined
      ? [minLength, maxLength, ' characters']
      : [minimum, maximum, ''];
  const range =
    least === undefined
      ? ''
      : most === undefined
        ? ` from ${least}${unit}`
        : ` of ${least} to ${most}${unit}`;
  return `expected ${[type ?? 'a value'].flat().join(' or ')}${range}`;
}

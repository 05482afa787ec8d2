/** Key paths: positions in the configuration, such as `listeners[0].address`. */

export type Path = readonly (string | number)[];

export function pathText(path: Path): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else text += text === '' ? part : `.${part}`;
  }
  return text;
}

export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether `path` is `whole` or below it. */
export function isUnder(path: Path, whole: Path): boolean {
  return whole.every((part, index) => path[index] === part);
}

export interface Found {
  readonly path: Path;
  readonly value: unknown;
}

/** All matches of a key pattern: `[]` stands for every list item, `*` for every mapping key. */
export function findAll(value: unknown, pattern: string): Found[] {
  let found: Found[] = [{ path: [], value }];
  for (const part of pattern.split('.')) found = found.flatMap((at) => step(at, part));
  return found;
}

function step({ path, value }: Found, part: string): Found[] {
  if (part === '[]') {
    return Array.isArray(value) ? value.map((item, index) => ({ path: [...path, index], value: item })) : [];
  }
  if (!isMapping(value)) return [];
  const keys = part === '*' ? Object.keys(value) : [part];
  return keys
    .filter((key) => Object.hasOwn(value, key))
    .map((key) => ({ path: [...path, key], value: value[key] }));
}

/** Copy of `value` with `replacement` at `path`; a value that blocks the path is left for the schema to refuse. */
export function withValue(value: unknown, [key, ...rest]: Path, replacement: unknown): unknown {
  if (key === undefined) return replacement;
  if (typeof key === 'number') {
    const list = Array.isArray(value) ? [...value] : [];
    list[key] = withValue(list[key], rest, replacement);
    return list;
  }
  const mapping = isMapping(value) ? value : {};
  return { ...mapping, [key]: withValue(mapping[key], rest, replacement) };
}

/** What the file has there. */
export const valueAt = (file: unknown, path: Path): unknown =>
  path.reduce<unknown>((value, key) => (value as Record<string | number, unknown> | undefined)?.[key], file);

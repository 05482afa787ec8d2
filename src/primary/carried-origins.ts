/**
 * Where the things of a document are said, which has no lines: what it has from the document before is where it was, and the
 * rest was said by whoever has sent it. Pure.
 */
import type { Document } from '../model/config.js';
import type { OriginKind, Origins, OriginText } from '../model/origins.js';

export interface Said {
  readonly document: Document;
  readonly origins: Origins;
}

/** `by`: of what is new; null: the program. What has been contributed has its origin already. */
export function carriedOrigins(before: Said, after: Said, by: OriginText | null): Origins {
  const keysOf = after.document === before.document ? namesIn : valuesIn;
  const keys = keysOf(before);
  const known = new Map(before.origins.map(({ from }, index) => [keys[index], from]));
  const wanted = keysOf(after);
  return after.origins.map((origin, index) => {
    const key = wanted[index];
    return origin.from === null
      ? { ...origin, from: known.has(key) ? (known.get(key) ?? null) : by }
      : origin;
  });
}

const namesIn = ({ origins }: Said): string[] => origins.map(({ kind, name }) => `${kind} ${name}`);

/** A list's item by what it says, wherever it stands. */
function valuesIn({ document, origins }: Said): string[] {
  const before: Record<OriginKind, number> = { upstream: 0, protocol: 0, route: 0, forward: 0 };
  return origins.map(({ kind, name }) => {
    const section = document[`${kind}s`];
    const isNamed = kind === 'upstream';
    const key = isNamed ? name : before[kind];
    before[kind] += 1;
    const value =
      typeof section === 'object' ? (section as Record<string | number, unknown> | null)?.[key] : undefined;
    return `${kind} ${isNamed ? name : ''} ${JSON.stringify(value)}`;
  });
}

/**
 * Joins the sources of several files to one: lists are appended in the order of the files, mappings are joined key by
 * key; what is written twice is a problem. Places stay those of the file in which a thing is written.
 */
import { isMapping, type Path } from '../path.js';
import type { Place, Source, Unreadable } from '../source.js';

/** Names under which a thing stands whole in one file. */
const WHOLE = [
  ['upstreams', '*'],
  ['kcp', '*'],
] as const;

/** Where a joined value comes from. */
type Origin = Written | Joined;

interface Written {
  readonly kind: 'written';
  readonly source: Source;
  /** In its own file. */
  readonly path: Path;
}

interface Joined {
  readonly kind: 'joined';
  /** The first that wrote it: its place. */
  readonly first: Written;
  readonly parts: Map<string | number, Origin>;
  /** Of lists: index of each source's first item. */
  readonly offsets: Map<Source, number>;
}

interface Found extends Written {
  readonly value: unknown;
}

/** `sources`: in the order of the files; at least one. Their values are mappings. */
export function mergeSources(sources: readonly Source[]): Source {
  const merger = new Merger();
  const found = sources.map((source): Found => ({ kind: 'written', source, path: [], value: source.value }));
  const { value, origin } = merger.join(found, []);
  return {
    value,
    files: sources.flatMap(({ files }) => files),
    unreadable: [
      ...sources.flatMap((source) => source.unreadable.map((each) => moved(each, source, origin))),
      ...merger.twice,
    ],
    place: (path) => placeIn(origin, path),
  };
}

class Merger {
  readonly twice: Unreadable[] = [];

  join(found: readonly Found[], path: Path): { value: unknown; origin: Origin } {
    const [first] = found;
    if (first === undefined) throw new Error('nothing to join');
    const alike = isWhole(path) ? [first] : found.filter(({ value }) => areAlike(value, first.value));
    for (const each of found) if (each !== first && !alike.includes(each)) this.#refuse(each, first, path);
    if (alike.length < 2) return { value: first.value, origin: first };
    if (Array.isArray(first.value)) return this.#joinLists(alike, first);
    return this.#joinMappings(alike, first, path);
  }

  #refuse({ source, path: own }: Found, first: Written, path: Path): void {
    const message = `is written twice, here and at ${textOf(first.source.place(first.path))}: keep one`;
    this.twice.push({ path: [...path, TWICE], place: source.place(own), message });
  }

  #joinLists(found: readonly Found[], first: Written): { value: unknown[]; origin: Origin } {
    const value: unknown[] = [];
    const origin: Joined = { kind: 'joined', first, parts: new Map(), offsets: new Map() };
    for (const { source, path, value: items } of found) {
      origin.offsets.set(source, value.length);
      for (const [index, item] of (items as unknown[]).entries()) {
        origin.parts.set(value.length, { kind: 'written', source, path: [...path, index] });
        value.push(item);
      }
    }
    return { value, origin };
  }

  #joinMappings(found: readonly Found[], first: Written, path: Path): { value: object; origin: Origin } {
    const byKey = new Map<string, Found[]>();
    for (const { source, path: own, value } of found) {
      for (const [key, inner] of Object.entries(value as Record<string, unknown>)) {
        const same = byKey.get(key) ?? [];
        byKey.set(key, same);
        same.push({ kind: 'written', source, path: [...own, key], value: inner });
      }
    }
    const origin: Joined = { kind: 'joined', first, parts: new Map(), offsets: new Map() };
    const entries = [...byKey].map(([key, same]): [string, unknown] => {
      const joined = this.join(same, [...path, key]);
      origin.parts.set(key, joined.origin);
      return [key, joined.value];
    });
    return { value: Object.fromEntries(entries), origin };
  }
}

/** Below the thing itself, so that its own problems are reported too. */
const TWICE = '';

const areAlike = (a: unknown, b: unknown): boolean =>
  (Array.isArray(a) && Array.isArray(b)) || (isMapping(a) && isMapping(b));

const isWhole = (path: Path): boolean =>
  WHOLE.some(
    (each) => each.length === path.length && each.every((key, at) => key === '*' || key === path[at]),
  );

function placeIn(origin: Origin, path: Path): Place {
  let at = origin;
  for (const [depth, part] of path.entries()) {
    if (at.kind === 'written') return at.source.place([...at.path, ...path.slice(depth)]);
    const inner = at.parts.get(part);
    if (inner === undefined) return at.first.source.place([...at.first.path, ...path.slice(depth)]);
    at = inner;
  }
  const { source, path: own } = at.kind === 'written' ? at : at.first;
  return source.place(own);
}

/** The path that a thing of one file has in the whole; its place stays. */
function moved(unreadable: Unreadable, source: Source, origin: Origin): Unreadable {
  const { path, message, place = source.place(path) } = unreadable;
  const whole: (string | number)[] = [];
  let at: Origin | undefined = origin;
  for (const part of path) {
    const offset: number =
      at?.kind === 'joined' && typeof part === 'number' ? (at.offsets.get(source) ?? 0) : 0;
    whole.push(typeof part === 'number' ? part + offset : part);
    at = at?.kind === 'joined' ? at.parts.get(part) : undefined;
  }
  return { path: whole, place, message };
}

export const textOf = ({ file, line, column }: Place): string =>
  [file, line, column].filter((part) => part !== null).join(':');

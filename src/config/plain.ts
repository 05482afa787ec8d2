/**
 * Converts YAML nodes to plain data with positions. Aliases share their target, and expanded values are counted: time
 * and memory stay linear in the file's length.
 */
import { type Alias, isAlias, isMap, isNode, isScalar, isSeq, type Pair, Scalar, type YAMLMap } from 'yaml';
import { type Environment, expandReferences, hasReference, plainValue } from './environment.js';
import { isMapping, type Path } from './path.js';

export const plainLimits = {
  /** Nesting depth; the schema needs 5. */
  depthMax: 64,
  /** Values after alias expansion. */
  valuesMax: 1_000_000,
} as const;

/** Valid YAML that can not be used. */
export interface Fault {
  readonly path: Path;
  /** Position, if it differs from that of the path. */
  readonly offset?: number;
  readonly message: string;
}

export interface Plain {
  readonly value: unknown;
  readonly faults: readonly Fault[];
  /** Offset of the deepest existing part of the path; a key's offset is that of its name. */
  offsetOf(path: Path): number;
}

export interface PlainRules {
  /** Null: references are not replaced, and refused. */
  readonly environment: Environment | null;
  readonly valuesMax: number;
}

/** `place` formats an offset for messages. */
export function toPlain(root: unknown, rules: PlainRules, place: (offset: number) => string): Plain {
  const converter = new Converter(rules, place);
  const value = converter.convert(root);
  return { value, faults: converter.faults, offsetOf: (path) => converter.offsetOf(value, path, root) };
}

interface Anchor {
  value: unknown;
  /** Values that one alias to it adds. */
  values: number;
  /** Its content is being read: an alias inside would be recursive. */
  open: boolean;
}

type Entries = Record<string, unknown>;

class Converter {
  readonly faults: Fault[] = [];
  readonly #rules: PlainRules;
  readonly #place: (offset: number) => string;
  readonly #anchors = new Map<string, Anchor>();
  /** Offsets of the keys or items of each mapping and list. */
  readonly #offsets = new WeakMap<object, Map<string | number, number>>();
  readonly #path: (string | number)[] = [];
  #values = 0;

  constructor(rules: PlainRules, place: (offset: number) => string) {
    this.#rules = rules;
    this.#place = place;
  }

  offsetOf(value: unknown, path: Path, root: unknown): number {
    let at = value;
    let offset = startOf(root);
    for (const part of path) {
      if (typeof at !== 'object' || at === null) return offset;
      const found = this.#offsets.get(at)?.get(part);
      if (found === undefined) return offset;
      offset = found;
      at = (at as Record<string | number, unknown>)[part];
    }
    return offset;
  }

  convert(node: unknown): unknown {
    if (!isNode(node) || !this.#count(1, node)) return null;
    if (isAlias(node)) return this.#alias(node);
    const anchor: Anchor = { value: null, values: this.#values, open: true };
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, anchor);
    anchor.value = this.#content(node);
    anchor.values = this.#values - anchor.values;
    anchor.open = false;
    return anchor.value;
  }

  #content(node: unknown): unknown {
    if (isScalar(node)) return this.#scalar(node);
    if (this.#path.length >= plainLimits.depthMax) {
      return this.#fault(node, `is nested deeper than ${plainLimits.depthMax} levels: no key needs that`);
    }
    if (isMap(node)) return this.#mapping(node);
    return isSeq(node) ? this.#list(node.items) : null;
  }

  /** Reports the fault; returns null in place of the unusable value. */
  #fault(node: unknown, message: string, key?: string): null {
    const path = key === undefined ? [...this.#path] : [...this.#path, key];
    this.faults.push({ path, offset: startOf(node), message });
    return null;
  }

  /** False above the limit: reading stops. */
  #count(values: number, node: unknown): boolean {
    const { valuesMax } = this.#rules;
    const before = this.#values;
    this.#values += values;
    if (this.#values <= valuesMax) return true;
    if (before <= valuesMax) {
      this.#fault(node, `is more than ${valuesMax} values, with those that aliases stand for`);
    }
    return false;
  }

  #alias(node: Alias): unknown {
    const name = node.source;
    const anchor = this.#anchors.get(name);
    if (anchor === undefined) {
      const text = `"*${name}"`;
      return this.#fault(
        node,
        `no anchor \`&${name}\` stands before \`*${name}\`: quote it, \`${text}\`, if it is text`,
      );
    }
    if (anchor.open)
      return this.#fault(node, `\`*${name}\` stands inside of what it stands for: write the value out`);
    return this.#count(anchor.values, node) ? anchor.value : null;
  }

  #scalar(node: Scalar): unknown {
    const { value, source, type } = node;
    if (typeof value === 'number' || typeof value === 'bigint') {
      // Octal in YAML 1.1, decimal in 1.2: left to the key's schema. A bigint exceeds any key's range.
      return /^0[o\d]/.test(source ?? '') || typeof value === 'bigint' ? source : value;
    }
    if (typeof value !== 'string') return isPrimitive(value) ? value : source;
    const { environment } = this.#rules;
    const expanded = expandReferences(value, environment ?? {});
    if (expanded === null) return value;
    if (environment === null) return this.#fault(node, FOREIGN_REFERENCE);
    for (const name of expanded.unset) {
      this.faults.push({ path: [...this.#path], message: unsetMessage(name) });
    }
    return type === Scalar.PLAIN ? plainValue(expanded.text) : expanded.text;
  }

  #list(items: readonly unknown[]): unknown[] {
    const list: unknown[] = [];
    const offsets = this.#offsetsOf(list);
    for (const [index, item] of items.entries()) {
      offsets.set(index, startOf(item));
      list.push(this.#at(index, () => this.convert(item)));
    }
    return list;
  }

  #mapping(node: YAMLMap): Entries {
    const entries: Entries = {};
    const offsets = this.#offsetsOf(entries);
    const merged: Entries[] = [];
    for (const pair of node.items) {
      const key = isMergeKey(pair.key) ? null : this.#key(pair.key, node);
      if (isMergeKey(pair.key)) merged.push(...this.#mergeSources(pair));
      if (key === null) continue;
      const first = offsets.get(key);
      if (first !== undefined) {
        this.#fault(pair.key, `is written twice, here and at ${this.#place(first)}: keep one`, key);
        continue;
      }
      offsets.set(key, startOf(pair.key));
      define(
        entries,
        key,
        this.#at(key, () => this.convert(pair.value)),
      );
    }
    for (const source of merged) this.#merge(entries, source, node);
    return entries;
  }

  /** The mapping's own keys win, then the earlier sources. */
  #merge(entries: Entries, source: Entries, node: unknown): void {
    const keys = Object.keys(source).filter((key) => !Object.hasOwn(entries, key));
    if (!this.#count(keys.length, node)) return;
    for (const key of keys) {
      define(entries, key, source[key]);
      this.#offsetsOf(entries).set(key, this.#offsetsOf(source).get(key) ?? startOf(node));
    }
  }

  #mergeSources({ key, value }: Pair): Entries[] {
    const read = this.#at('<<', () => this.convert(value));
    const sources = isSeq(value) ? (read as unknown[]) : [read];
    if (sources.every(isMapping)) return sources;
    // A malformed source has been reported already.
    if (!sources.includes(null))
      this.#fault(key, 'takes a mapping, or a list of mappings, such as `<<: *name`', '<<');
    return [];
  }

  #key(node: unknown, mapping: unknown): string | null {
    const name = isAlias(node) ? this.#alias(node) : isScalar(node) ? node.value : node;
    if (!isPrimitive(name))
      return this.#fault(node ?? mapping, 'has a key that is a mapping or a list: write text');
    const key = String(name ?? '');
    return hasReference(key)
      ? this.#fault(node, 'a reference can not stand for a key: write the key out')
      : key;
  }

  #offsetsOf(container: object): Map<string | number, number> {
    const offsets = this.#offsets.get(container) ?? new Map<string | number, number>();
    this.#offsets.set(container, offsets);
    return offsets;
  }

  #at<Value>(part: string | number, read: () => Value): Value {
    this.#path.push(part);
    const value = read();
    this.#path.pop();
    return value;
  }
}

const isPrimitive = (value: unknown): boolean =>
  value === null || /^(?:string|number|boolean|bigint|undefined)$/.test(typeof value);

/** With `%YAML 1.1` the library turns `<<` into a symbol. */
const isMergeKey = (node: unknown): boolean =>
  isScalar(node) && ((node.type === Scalar.PLAIN && node.value === '<<') || typeof node.value === 'symbol');

/** Also defines `__proto__`, which assignment would not. */
function define(entries: Entries, key: string, value: unknown): void {
  Object.defineProperty(entries, key, { value, enumerable: true, configurable: true, writable: true });
}

function startOf(node: unknown): number {
  return isNode(node) ? (node.range?.[0] ?? 0) : 0;
}

const FOREIGN_REFERENCE =
  'a reference to the environment is replaced in the files of this machine alone: give the value itself';

function unsetMessage(name: string): string {
  return `\`\${${name}}\` is not set in the environment: set it, or write \`\${${name}:-default}\``;
}

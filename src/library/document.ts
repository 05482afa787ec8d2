/**
 * Options → document, which is the file as plain data, and back. Only the spelling changes here; what values mean and
 * whether they are right is for the schema to say.
 */
import { formatDuration } from '../base/duration.js';
import type { Document } from '../model/config.js';
import { type ConfigProblem, invalidConfig } from './error.js';
import type { Locals } from './locals.js';
import type { AnyportOptions, ProtocolDefinition } from './options.js';
import { durationKeys, isNamed, respelledPath, sectionKeys, toCamel, toSnake } from './spelling.js';

/** As for files: no key needs more. */
const DEPTH_MAX = 64;

/** Keys of a protocol whose file form is a list. */
const LISTS: readonly string[] = ['start_bytes', 'contains', 'regex'];

const durations = new Set(durationKeys);
const sections = new Set(sectionKeys);

type Mapping = Readonly<Record<string, unknown>>;

/** `locals`: null with threads, which functions can not reach. Throws an AnyportError with every problem found. */
export function documentOf(options: AnyportOptions, locals: Locals | null): Document {
  const { protocols, ...rest } = options as Mapping;
  const speller = new Speller(locals);
  const spelled = speller.mapping(rest, []);
  const server = Object.entries(spelled).filter(([key]) => !sections.has(key));
  const others = Object.entries(spelled).filter(([key]) => sections.has(key));
  const document = {
    server: withThreads(Object.fromEntries(server), locals),
    ...Object.fromEntries(others),
    ...(protocols !== undefined && { protocols: speller.protocols(protocols) }),
  };
  speller.check();
  return document;
}

/** One entry of the document's protocols. Throws as `documentOf`. */
export function protocolEntry(definition: ProtocolDefinition, locals: Locals | null): Mapping {
  const speller = new Speller(locals);
  const entry = speller.protocol(definition, ['protocols']);
  speller.check();
  return entry as Mapping;
}

/** As `protocolEntry`, for a part of one; a key that is undefined stays, as one to take away. */
export function protocolChanges(name: string, changes: Mapping, locals: Locals | null): Mapping {
  const { name: _, ...entry } = protocolEntry({ ...changes, name }, locals);
  const removed = Object.keys(changes).filter((key) => changes[key] === undefined);
  const undone = removed.map((key) => [key === 'validate' ? 'validator' : toSnake(key), null]);
  return { ...entry, ...Object.fromEntries(undone) };
}

/** The data plane on the calling thread is one worker. */
function withThreads(server: Mapping, locals: Locals | null): Mapping {
  return locals === null ? server : { ...server, workers: 1 };
}

class Speller {
  readonly #locals: Locals | null;
  readonly #problems: ConfigProblem[] = [];

  constructor(locals: Locals | null) {
    this.#locals = locals;
  }

  check(): void {
    if (this.#problems.length > 0) throw invalidConfig(this.#problems);
  }

  /** `path`: keys in the file's spelling, without positions. */
  mapping(value: Mapping, path: readonly string[]): Record<string, unknown> {
    const named = isNamed(path);
    const entries = Object.entries(value)
      .filter(([, inner]) => inner !== undefined)
      .map(([key, inner]): [string, unknown] => {
        const spelled = named ? key : this.#key(key, path);
        return [spelled, this.#value(inner, [...path, spelled])];
      });
    return Object.fromEntries(entries);
  }

  protocols(value: unknown): unknown {
    if (!Array.isArray(value)) return this.#value(value, ['protocols']);
    return value.map((definition, index) => this.protocol(definition, [`protocols[${index}]`]));
  }

  protocol(value: unknown, path: readonly string[]): unknown {
    if (!isMapping(value)) return this.#value(value, path);
    const { validate, ...rest } = value;
    const entries = Object.entries(this.mapping(rest, path)).map(([key, inner]) =>
      LISTS.includes(key) && inner !== undefined && !Array.isArray(inner) ? [key, [inner]] : [key, inner],
    );
    const validator = this.#value(validate, [...path, 'validator']);
    return { ...Object.fromEntries(entries), ...(validator !== undefined && { validator }) };
  }

  #key(key: string, path: readonly string[]): string {
    if (key.includes('_')) this.#problem([...path, key], `unknown key: did you mean \`${toCamel(key)}\`?`);
    return toSnake(key);
  }

  #value(value: unknown, path: readonly string[]): unknown {
    const key = path.at(-1) ?? '';
    if (typeof value === 'function') return this.#function(value, key, path);
    if (typeof value === 'number' && durations.has(key)) return durationText(value);
    if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
    if (value instanceof RegExp) return this.#pattern(value, path);
    if (path.length > DEPTH_MAX) return this.#problem(path, 'is nested too deep');
    if (Array.isArray(value)) return value.map((item) => this.#value(item, path));
    return isMapping(value) ? this.mapping(value, path) : value;
  }

  #function(code: object, key: string, path: readonly string[]): unknown {
    if (key !== 'handler' && key !== 'validator') return this.#problem(path, 'can not be a function');
    if (this.#locals !== null) return this.#locals.nameOf(code);
    const advice = 'with threads give the path of a module, or let `workers` be 0';
    return this.#problem(path, `is a function, which stays on the thread that made it: ${advice}`);
  }

  #pattern({ source, flags }: RegExp, path: readonly string[]): unknown {
    if (flags === '') return source;
    return this.#problem(path, `has the flag \`${flags}\`: patterns are over bytes, and have none`);
  }

  #problem(path: readonly string[], message: string): undefined {
    const at = sections.has(path[0]?.replace(/\[.*/, '') ?? '') ? path : ['server', ...path];
    this.#problems.push({ path: respelledPath(at.join('.')), message });
    return undefined;
  }
}

const durationText = (ms: number): unknown =>
  Number.isFinite(ms) && ms >= 0 ? formatDuration(Math.round(ms)) : ms;

const isMapping = (value: unknown): value is Mapping =>
  typeof value === 'object' &&
  value !== null &&
  [Object.prototype, null].includes(Object.getPrototypeOf(value) as object | null);

/** The options that make this document, with the functions that it names. */
export function optionsOf({ server, ...rest }: Document, locals: Locals | null): AnyportOptions {
  const flat = { ...(isMapping(server) && server), ...rest };
  const options = camelled(flat, [], locals) as Record<string, unknown>;
  return locals === null ? options : { ...options, workers: 0 };
}

function camelled(value: unknown, path: readonly string[], locals: Locals | null): unknown {
  if (path.at(-1) === 'handler' || path.at(-1) === 'validator')
    return locals?.table.get(String(value)) ?? value;
  if (Array.isArray(value)) return value.map((item) => camelled(item, path, locals));
  if (!isMapping(value)) return value;
  const spell = (key: string) => {
    if (isNamed(path)) return key;
    return path[0] === 'protocols' && path.length === 1 && key === 'validator' ? 'validate' : toCamel(key);
  };
  const entries = Object.entries(value).map(([key, inner]) => [
    spell(key),
    camelled(inner, [...path, key], locals),
  ]);
  return Object.fromEntries(entries);
}

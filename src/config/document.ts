/**
 * A configuration that comes as plain data: JSON from the control interface, an object from the library. It has the
 * file's shape; problems have key paths and no line. References `${NAME}` and `include` belong to files.
 */
import { REFERENCE } from './environment.js';
import { isMapping, type Path, pathText } from './path.js';
import { plainLimits } from './plain.js';
import type { Place, Source, Unreadable } from './source.js';

/** Characters of all texts together: what 1,000 routes need, a hundred times. */
const CHARACTERS_MAX = 16 * 1024 ** 2;

const nowhere = (path: Path): Place => ({ file: null, line: null, column: null, path: pathText(path) });

/** A copy: what the caller changes afterwards is not seen. */
export function documentSource(document: unknown): Source {
  const copier = new Copier();
  const value = copier.copy(document, []);
  return { value: value ?? {}, unreadable: copier.unreadable, files: [], place: nowhere };
}

class Copier {
  readonly unreadable: Unreadable[] = [];
  #values = 0;
  #characters = 0;

  copy(value: unknown, path: Path): unknown {
    if (!this.#count(value, path)) return null;
    if (typeof value === 'string') return this.#text(value, path);
    if (value === null || typeof value === 'number' || typeof value === 'boolean') return value;
    if (path.length >= plainLimits.depthMax) {
      return this.#refuse(path, `is nested deeper than ${plainLimits.depthMax} levels: no key needs that`);
    }
    if (Array.isArray(value)) return value.map((item, index) => this.copy(item, [...path, index]));
    if (isMapping(value) && isPlain(value)) return this.#mapping(value, path);
    return this.#refuse(
      path,
      `is a ${kindOf(value)}: give text, a number, true or false, a list or a mapping`,
    );
  }

  #mapping(value: Record<string, unknown>, path: Path): Record<string, unknown> {
    const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
    return Object.fromEntries(entries.map(([key, inner]) => [key, this.copy(inner, [...path, key])]));
  }

  #text(text: string, path: Path): string | null {
    const [reference] = text.match(REFERENCE) ?? [];
    if (reference === undefined) return text;
    return this.#refuse(path, `\`${reference}\` is replaced in files alone: give the value itself`);
  }

  /** False above a limit: reading stops. */
  #count(value: unknown, path: Path): boolean {
    const isWithin = () => this.#values <= plainLimits.valuesMax && this.#characters <= CHARACTERS_MAX;
    if (!isWithin()) return false;
    this.#values += 1;
    if (typeof value === 'string') this.#characters += value.length;
    if (isWithin()) return true;
    const most = `${plainLimits.valuesMax} values or ${CHARACTERS_MAX} characters`;
    this.#refuse(path, `is more than ${most}, which no configuration needs`);
    return false;
  }

  #refuse(path: Path, message: string): null {
    this.unreadable.push({ path, message });
    return null;
  }
}

const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
};

const kindOf = (value: unknown): string =>
  typeof value === 'object' ? (value?.constructor?.name ?? 'special object') : typeof value;

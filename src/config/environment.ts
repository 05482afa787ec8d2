/**
 * `${NAME}` and `${NAME:-default}` in configuration files; the default replaces unset and empty. A reference expands
 * within one value: it can not add keys or lines. References are masked before YAML parsing, since `{`, `}` and `:`
 * are syntax there, and expanded in the parsed values. Masking is one character for one, so positions stay valid.
 */

export const REFERENCE = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}\n]*))?\}/g;
/** Private-use range that stands for the ASCII characters. */
const VEIL = 0xe000;
const VEILED = /[\ue000-\ue07f]/g;
/** From a masked `${` to a masked `}`; private-use characters elsewhere are the user's own. */
const VEILED_REFERENCE = /\ue024\ue07b[^\ue07d]*\ue07d/g;
const ASCII = /[\0-\x7f]/g;

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/;

export type Environment = Readonly<Record<string, string | undefined>>;

export function veilReferences(text: string): string {
  const veil = (character: string) => String.fromCharCode(character.charCodeAt(0) + VEIL);
  return text.replace(REFERENCE, (reference) => reference.replace(ASCII, veil));
}

/** For text with incomplete references, such as messages. */
export function unveil(text: string): string {
  return text.replace(VEILED, (character) => String.fromCharCode(character.charCodeAt(0) - VEIL));
}

const unveilReferences = (text: string): string => text.replace(VEILED_REFERENCE, unveil);

export function hasReference(value: string): boolean {
  return unveilReferences(value) !== value;
}

/** The expanded text, and the unset variables without default. */
export interface Expanded {
  readonly text: string;
  readonly unset: readonly string[];
}

/** Null when the value has no reference. */
export function expandReferences(value: string, environment: Environment): Expanded | null {
  const written = unveilReferences(value);
  if (written === value) return null;
  const unset: string[] = [];
  const text = written.replace(REFERENCE, (_, name: string, fallback: string | undefined) => {
    const value = Object.hasOwn(environment, name) ? environment[name] : undefined;
    const replacement = fallback === undefined ? value : value || fallback;
    if (replacement === undefined) unset.push(name);
    return replacement ?? '';
  });
  return { text, unset };
}

/** YAML type of an unquoted value: `workers: ${N}` is a number, as `workers: 4` is. */
export function plainValue(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  return NUMBER.test(text) ? Number(text) : text;
}

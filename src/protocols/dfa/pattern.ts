/**
 * Regular expressions over bytes: parses a pattern into the parts of an automaton.
 *
 * A character stands for one byte (\x00-\xff). `.` is any byte except LF, `[^]` any byte; \d \s \w are ASCII. Every
 * alternative starts with `^`; `(?i)` before or behind it ignores the case of ASCII letters. Constructs beyond finite
 * automata (back-references, look-around, `$`) are refused by name, so matching time is always linear.
 */
import { type AST, RegExpParser } from '@eslint-community/regexpp';
import { type ByteSet, bothCases, byteValues, negate, range, single, union } from './byte-set.js';

/** A part of a pattern: a byte of a set, a sequence, alternatives, or a repetition. */
export type Part =
  | { readonly kind: 'byte'; readonly set: ByteSet }
  | { readonly kind: 'sequence'; readonly parts: readonly Part[] }
  | { readonly kind: 'either'; readonly parts: readonly Part[] }
  | { readonly kind: 'repeat'; readonly part: Part; readonly min: number; readonly max: number };

/** Upper bound on length and nesting of a pattern. */
const patternCharsMax = 4096;

/** Inline flag as in Go and PCRE; JavaScript keeps flags outside the pattern. */
const ignoreCase = /^(\^?)\(\?i\)/;

export type ParsedPattern =
  | { readonly ok: true; readonly alternatives: readonly Part[] }
  | { readonly ok: false; readonly problem: string };

export function parsePattern(pattern: string): ParsedPattern {
  if (pattern.length > patternCharsMax) {
    return { ok: false, problem: `longer than ${patternCharsMax} characters` };
  }
  try {
    const { alternatives } = new RegExpParser().parsePattern(pattern.replace(ignoreCase, '$1'));
    const letters = ignoreCase.test(pattern) ? bothCases : asWritten;
    return { ok: true, alternatives: alternatives.map((each) => anchoredSequence(each, letters)) };
  } catch (error) {
    return { ok: false, problem: error instanceof Error ? error.message : String(error) };
  }
}

export const byteIn = (set: ByteSet): Part => ({ kind: 'byte', set });

export const sequence = (parts: readonly Part[]): Part => ({ kind: 'sequence', parts });

export const repeated = (part: Part, min: number, max: number): Part => ({ kind: 'repeat', part, min, max });

/** Maps a byte set to its case-sensitive or case-insensitive meaning. */
type Letters = (set: ByteSet) => ByteSet;

const asWritten: Letters = (set) => set;

function anchoredSequence(alternative: AST.Alternative, letters: Letters): Part {
  const [first, ...rest] = alternative.elements;
  if (first?.type !== 'Assertion' || first.kind !== 'start') {
    throw new SyntaxError('every alternative must begin with ^');
  }
  return sequence(rest.map((element) => partOf(element, letters)));
}

function partOf(element: AST.Element, letters: Letters): Part {
  switch (element.type) {
    case 'Character':
      return byteIn(letters(single(byteOf(element))));
    case 'CharacterSet':
      return byteIn(namedSet(element));
    case 'CharacterClass':
      return byteIn(classSet(element, letters));
    case 'Quantifier':
      return repeated(partOf(element.element, letters), element.min, element.max);
    case 'Group':
      if (element.modifiers) throw unsupported(element, 'modifiers');
      return groupOf(element, letters);
    case 'CapturingGroup':
      return groupOf(element, letters);
    case 'Backreference':
      throw unsupported(element, 'back-references');
    case 'Assertion':
      throw unsupported(element, 'look-around, word boundaries, $ and a second ^');
    default:
      throw unsupported(element, 'set notation');
  }
}

function groupOf({ alternatives }: AST.Group | AST.CapturingGroup, letters: Letters): Part {
  const parts = alternatives.map(({ elements }) =>
    sequence(elements.map((element) => partOf(element, letters))),
  );
  return { kind: 'either', parts };
}

function unsupported(node: AST.Node, what: string): SyntaxError {
  return new SyntaxError(`${what} are not supported: "${node.raw}"`);
}

/** Without the `u` flag JavaScript reads `\p` as p and `\x{41}` as 41 times x, which nobody intends: refuse. */
const meaninglessEscape = /^\\[A-Za-z]$/;

function byteOf(character: AST.Character): number {
  if (meaninglessEscape.test(character.raw) && character.raw.charCodeAt(1) === character.value)
    throw unsupported(character, 'such escapes');
  if (character.value < byteValues) return character.value;
  throw new SyntaxError(`patterns match bytes, and "${character.raw}" is above \\xff`);
}

const lineFeed = single(0x0a);
const digits = range(0x30, 0x39);
const spaces = union(range(0x09, 0x0d), single(0x20));
const words = union(digits, range(0x41, 0x5a), single(0x5f), range(0x61, 0x7a));
const sets = { digit: digits, space: spaces, word: words };

function namedSet(set: AST.CharacterSet): ByteSet {
  if (set.kind === 'any') return negate(lineFeed);
  if (set.kind === 'property') throw unsupported(set, 'Unicode properties');
  return set.negate ? negate(sets[set.kind]) : sets[set.kind];
}

function classSet(characterClass: AST.CharacterClass, letters: Letters): ByteSet {
  if (/^\[\^?\[:/.test(characterClass.raw)) throw unsupported(characterClass, 'POSIX classes');
  const members = letters(union(...characterClass.elements.map(memberSet)));
  return characterClass.negate ? negate(members) : members;
}

function memberSet(member: AST.CharacterClassElement): ByteSet {
  switch (member.type) {
    case 'Character':
      return single(byteOf(member));
    case 'CharacterClassRange':
      return range(byteOf(member.min), byteOf(member.max));
    case 'CharacterSet':
      return namedSet(member);
    default:
      throw unsupported(member, 'set notation');
  }
}

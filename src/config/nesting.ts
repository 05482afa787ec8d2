/** Nesting depth of a YAML text, from its lexemes: the parser would need a gigabyte to find out. */
import { Lexer } from 'yaml';

/** Marker lexemes of the library, before scalars and around documents; not part of the text. */
const SCALAR = '\u001f';
const MARKS = new Set([SCALAR, '\u0002', '\u0018', '\ufeff']);

/** Cheap upper bound from characters, quoted or not: lexing takes as long as parsing. */
function mayBeTooDeep(text: string, levelsMax: number): boolean {
  let brackets = 0;
  for (let offset = 0; offset < text.length; offset++) {
    const character = text[offset];
    if (character === '[' || character === '{') brackets++;
    else if (character === ']' || character === '}') brackets--;
    if (brackets > levelsMax) return true;
  }
  return new RegExp(`(?:[-?][ \\t]+){${levelsMax}}`).test(text);
}

/** Offset where flow brackets or indicators on one line nest deeper than `levelsMax`; null: nowhere. */
export function findTooDeep(text: string, levelsMax: number): number | null {
  if (!mayBeTooDeep(text, levelsMax)) return null;
  let brackets = 0;
  let indicators = 0;
  let offset = 0;
  let isScalar = false;
  for (const lexeme of new Lexer().lex(text)) {
    if (!isScalar) {
      if (lexeme === '[' || lexeme === '{') brackets++;
      if (lexeme === ']' || lexeme === '}') brackets--;
      if (lexeme === '-' || lexeme === '?') indicators++;
      if (lexeme.includes('\n')) indicators = 0;
    }
    if (brackets > levelsMax || indicators > levelsMax) return offset;
    isScalar = lexeme === SCALAR;
    if (!MARKS.has(lexeme)) offset += lexeme.length;
  }
  return null;
}

/** How deep a YAML text nests, found by its lexemes alone: the parser would take a gigabyte to find it out. */
import { Lexer } from 'yaml';

/** What the library puts before the text of a scalar, and at the start and the end of a document: no text itself. */
const SCALAR = '\u001f';
const MARKS = new Set([SCALAR, '\u0002', '\u0018', '\ufeff']);

/** A first look at the characters, quoted or not: reading the lexemes takes as long as parsing. */
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

/** Where brackets, or indicators in one line, are more than `levelsMax` inside each other; null when nowhere. */
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

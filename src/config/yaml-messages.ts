/** Messages for YAML errors, with advice on what to write instead. */
import type { ErrorCode } from 'yaml';

const MESSAGE_MAX = 200;

const UNCLOSED = 'a bracket before this is not closed: write the `}` or `]`, or indent what it still holds';

/** Replace the library's message. */
const sentences: Partial<Record<ErrorCode, string>> = {
  BAD_ALIAS: '`*` begins an alias, and no name follows: quote the value if it is text',
  BLOCK_AS_IMPLICIT_KEY: 'a second `: ` in one line: quote the value, or begin a new line for the inner key',
  KEY_OVER_1024_CHARS: 'a key of more than 1024 characters: is a quote or a `: ` missing?',
  MULTILINE_IMPLICIT_KEY: 'a line without `: `: a key and its value belong on one line, as in `key: value`',
  MULTIPLE_DOCS: 'a second document begins here: keep one in a file, and take `---` away',
  // The library's message quotes the value, which may be a password.
  TAG_RESOLVE_FAILED: '`!` begins a tag, and none is known here: quote the value if it is text',
  TAB_AS_INDENT: 'a tab indents this line: write spaces',
};

/** Appended to the library's message. */
const advice: Partial<Record<ErrorCode, string>> = {
  ALIAS_PROPS: 'an alias stands alone',
  BAD_DQ_ESCAPE: 'write `\\\\` for a backslash, or single quotes around the text',
  BAD_INDENT: 'align the line with those beside it',
  BAD_SCALAR_START: 'quote the value',
  BLOCK_IN_FLOW: 'inside of brackets write `[a, b]` and `{ key: value }`',
  MISSING_CHAR: 'close what is open, or quote the value',
  MULTIPLE_ANCHORS: 'keep one',
  MULTIPLE_TAGS: 'keep one',
  UNEXPECTED_TOKEN: 'quote the value if it is text',
};

export function syntaxMessage(code: ErrorCode, message: string): string {
  if (/call stack/.test(message)) return 'not valid YAML: nested deeper than any key needs';
  if (/ and end with a [}\]]/.test(message)) return `not valid YAML: ${UNCLOSED}`;
  const said = sentences[code] ?? withAdvice(message.replace(/\s+/g, ' ').trim(), advice[code]);
  return `not valid YAML: ${said}`;
}

function withAdvice(message: string, words: string | undefined): string {
  const short = message.length > MESSAGE_MAX ? `${message.slice(0, MESSAGE_MAX)}…` : message;
  return words === undefined ? short : `${short.replace(/[.:]$/, '')}: ${words}`;
}

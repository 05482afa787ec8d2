/** What strangers have sent, for a terminal: characters that would command it are shown, not obeyed. */

/** C0, C1 and DEL, line separators, and those that change the direction of text. */
const COMMANDS = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

const codeOf = (character: string, digits: number): string =>
  character.charCodeAt(0).toString(16).padStart(digits, '0');

const escaped = (character: string): string =>
  character < '\u0100' ? `\\x${codeOf(character, 2)}` : `\\u${codeOf(character, 4)}`;

export const visible = (text: string): string => text.replace(COMMANDS, escaped);

/** The same of text that has colours and line feeds of its own. */
export const visibleBeyondC0 = (text: string): string =>
  text.replace(COMMANDS, (character) => (character < ' ' ? character : escaped(character)));

/** JSON leaves DEL, C1 and the others as they are; escaped they mean the same. */
export const jsonLine = (value: unknown): string =>
  `${JSON.stringify(value).replace(COMMANDS, (each) => `\\u${codeOf(each, 4)}`)}\n`;

/** Escapes control characters in text from clients, so that it can not send commands to a terminal. */

/** C0, C1, DEL, line and paragraph separators, bidirectional controls. */
const COMMANDS = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

const codeOf = (character: string, digits: number): string =>
  character.charCodeAt(0).toString(16).padStart(digits, '0');

const escaped = (character: string): string =>
  character < '\u0100' ? `\\x${codeOf(character, 2)}` : `\\u${codeOf(character, 4)}`;

export const visible = (text: string): string => text.replace(COMMANDS, escaped);

/** As `visible`, for text with its own colours and line feeds: C0 controls stay. */
export const visibleBeyondC0 = (text: string): string =>
  text.replace(COMMANDS, (character) => (character < ' ' ? character : escaped(character)));

/** The same without C0, which JSON escapes by itself, and which ends lines. */
const COMMANDS_BEYOND_C0 = /[\u007f-\u009f\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/** JSON.stringify leaves DEL, C1, separators and bidirectional controls as they are; their escapes mean the same. */
export const escapedJson = (json: string): string =>
  json.replace(COMMANDS_BEYOND_C0, (each) => `\\u${codeOf(each, 4)}`);

export const jsonLine = (value: unknown): string => `${escapedJson(JSON.stringify(value))}\n`;

/** Names shown of a list. */
const LISTED_MAX = 8;

/** The names with commas, the first ones of many. */
export function listText(names: readonly string[], comma = ','): string {
  if (names.length <= LISTED_MAX) return names.join(comma);
  return [...names.slice(0, LISTED_MAX), `… ${names.length - LISTED_MAX} more`].join(comma);
}

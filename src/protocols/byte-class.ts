/** Classes of bytes for patterns, by what they have in common: bits that are set, multiples, flags. */

/** The bytes that satisfy `holds`, as a character class. */
export function bytesWhere(holds: (byte: number) => boolean): string {
  const bytes = Array.from({ length: 256 }, (_, byte) => byte).filter(holds);
  return `[${bytes.map(escaped).join('')}]`;
}

const escaped = (byte: number): string => `\\x${byte.toString(16).padStart(2, '0')}`;

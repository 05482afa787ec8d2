/** Character classes for patterns from a predicate on bytes: bits set, multiples, flags. */

export function bytesWhere(holds: (byte: number) => boolean): string {
  const bytes = Array.from({ length: 256 }, (_, byte) => byte).filter(holds);
  return `[${bytes.map(escaped).join('')}]`;
}

const escaped = (byte: number): string => `\\x${byte.toString(16).padStart(2, '0')}`;

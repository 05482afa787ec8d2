/** Sizes in configuration syntax: bytes, or a number with a binary unit (`64KiB`, `1MiB`, `2GiB`). */

const UNIT_BYTES: Readonly<Record<string, number>> = { '': 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };
const SIZE = /^(\d+)(KiB|MiB|GiB|)$/;

/** Bytes, or null when the text is not a size. */
export function parseSize(text: string): number | null {
  const match = SIZE.exec(text);
  if (match === null) return null;
  return Number(match[1]) * (UNIT_BYTES[match[2] ?? ''] ?? 1);
}

/** The shortest text that parses back to the same size. */
export function formatSize(bytes: number): string {
  for (const unit of ['GiB', 'MiB', 'KiB']) {
    const unitBytes = UNIT_BYTES[unit] ?? 1;
    if (bytes >= unitBytes && bytes % unitBytes === 0) return `${bytes / unitBytes}${unit}`;
  }
  return `${bytes}`;
}

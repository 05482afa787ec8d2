/** Error messages of conditions. */

const SHOWN_MAX = 60;

/** Error option of the schema of one value. */
export const oneText =
  (expected: string) =>
  ({ input }: { input?: unknown }): string =>
    `expected ${expected}, got ${shown(input)}`;

export function shown(input: unknown): string {
  if (input === null) return 'nothing';
  if (Array.isArray(input)) return 'a list';
  return typeof input === 'object' ? 'a mapping' : JSON.stringify(input).slice(0, SHOWN_MAX);
}

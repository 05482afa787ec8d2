/** Error messages of conditions that take one value. */

const SHOWN_MAX = 60;

/** Error option of a schema; for a list, advises one route per value. */
export const oneText =
  (expected: string) =>
  ({ input }: { input?: unknown }): string =>
    Array.isArray(input)
      ? `expected ${expected}, got a list: write a route for each`
      : `expected ${expected}, got ${shown(input)}`;

function shown(input: unknown): string {
  if (input === null) return 'nothing';
  return typeof input === 'object' ? 'a mapping' : JSON.stringify(input).slice(0, SHOWN_MAX);
}

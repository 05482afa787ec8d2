/** Which parts of a sequence kept their order. */

/**
 * Indices of a longest increasing subsequence of distinct numbers (patience sorting, n log n): what kept its order when
 * `positions` are the places that things had before.
 */
export function inOrder(positions: readonly number[]): Set<number> {
  /** Index of the smallest end of a subsequence of each length. */
  const ends: number[] = [];
  const previous: number[] = [];
  for (const [index, position] of positions.entries()) {
    const length = lengthBefore(ends, positions, position);
    previous[index] = ends[length - 1] ?? -1;
    ends[length] = index;
  }
  const kept = new Set<number>();
  for (let index = ends.at(-1) ?? -1; index >= 0; index = previous[index] ?? -1) kept.add(index);
  return kept;
}

/** How many ends lie below `position`, by bisection. */
function lengthBefore(ends: readonly number[], positions: readonly number[], position: number): number {
  let low = 0;
  let high = ends.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((positions[ends[middle] ?? 0] ?? 0) < position) low = middle + 1;
    else high = middle;
  }
  return low;
}

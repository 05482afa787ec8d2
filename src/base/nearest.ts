/** Finds the known name nearest to a misspelled one. */

/** Upper bound on the names listed in an error message; above it none are listed. */
const LISTED_MAX = 16;

/** Edit distance: insertions, deletions, substitutions and transpositions of neighbours (optimal string alignment). */
function distance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const replaced = (last[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      const moved = Math.min((last[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, replaced);
      const swaps = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      current.push(swaps ? Math.min(moved, (beforeLast[column - 2] ?? 0) + 1) : moved);
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length] ?? 0;
}

/**
 * The known name with the smallest edit distance, of equal ones the one with the longest common beginning (first letters
 * are rarely wrong); null when that is more than a third of the length of `name`.
 */
export function nearestName(name: string, known: Iterable<string>): string | null {
  const wanted = name.toLowerCase().slice(0, 64);
  let best: string | null = null;
  let bestDistance = Math.ceil(wanted.length / 3);
  let bestBeginning = -1;
  for (const candidate of known) {
    // The difference in length is a lower bound of the distance.
    if (Math.abs(candidate.length - wanted.length) > bestDistance) continue;
    const candidateDistance = distance(wanted, candidate.toLowerCase());
    const beginning = commonBeginning(wanted, candidate.toLowerCase());
    const isNearer =
      candidateDistance < bestDistance || (candidateDistance === bestDistance && beginning > bestBeginning);
    if (!isNearer) continue;
    [best, bestDistance, bestBeginning] = [candidate, candidateDistance, beginning];
  }
  return best;
}

function commonBeginning(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return length;
}

/** Suffix for an error about an unknown name: `: did you mean …?`, else the list of known names. */
export function suggestion(name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known);
  if (nearest !== null) return `: did you mean \`${nearest}\`?`;
  const names = [...new Set(known)];
  return names.length === 0 || names.length > LISTED_MAX ? '' : ` (known: ${names.join(', ')})`;
}

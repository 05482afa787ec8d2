/** The items in so many orders, one order after the other; the same in every run. */
export function mixed<T>(items: readonly T[], orders: number): T[] {
  const random = createRandom(1);
  return Array.from({ length: orders }, () => shuffled(items, random)).flat();
}

function shuffled<T>(items: readonly T[], random: (below: number) => number): T[] {
  const list = [...items];
  for (let left = list.length; left > 1; left--) {
    const [last] = list.splice(random(left), 1);
    list.push(last as T);
  }
  return list;
}

/** xorshift32. */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

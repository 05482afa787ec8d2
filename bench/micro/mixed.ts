import { createRandom, type Random } from '../../test/support/random.js';

/** Concatenates `orders` permutations of the items; the same in every run. */
export function mixed<T>(items: readonly T[], orders: number): T[] {
  const random = createRandom(1);
  return Array.from({ length: orders }, () => shuffled(items, random)).flat();
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const list = [...items];
  for (let left = list.length; left > 1; left--) {
    const [last] = list.splice(random(left), 1);
    list.push(last as T);
  }
  return list;
}

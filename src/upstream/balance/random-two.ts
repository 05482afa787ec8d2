/** Power of two choices: the less loaded of two random endpoints. Nearly even, without a herd effect. */
import type { Strategy } from '../strategy.js';

export const randomTwo: Strategy = {
  words: 'of two chosen by chance, the one with fewer sessions for its `weight`',
  create(endpoints, random) {
    return {
      pick({ active, usable }) {
        const choice: number[] = [];
        for (let index = 0; index < endpoints.length; index++) if (usable(index)) choice.push(index);
        const [first] = choice.splice(Math.floor(random() * choice.length), 1);
        if (first === undefined) return -1;
        const second = choice[Math.floor(random() * choice.length)] ?? first;
        const load = (endpoint: number) => active(endpoint) / (endpoints[endpoint]?.weight ?? 1);
        return load(second) < load(first) ? second : first;
      },
    };
  },
};

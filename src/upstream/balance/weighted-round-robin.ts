/** Endpoints in turn, in proportion to `weight`. */
import type { Strategy } from '../strategy.js';
import { Turns } from '../turns.js';

export const weightedRoundRobin: Strategy = {
  words: 'in turn, in proportion to `weight`',
  weighs: true,
  hashes: false,
  create: (field, before) => new Turns(field, before),
};

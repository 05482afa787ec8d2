/** Endpoints in turn, whatever their `weight`. */
import type { Strategy } from '../strategy.js';
import { Turns } from '../turns.js';

export const roundRobin: Strategy = {
  words: 'one after the other',
  weighs: false,
  hashes: false,
  create: (field, before) => new Turns(field, before),
};

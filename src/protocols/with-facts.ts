import type { Facts } from '../model/facts.js';

/**
 * Both, in this order. A literal with a spread and a name behind it takes V8 of Node.js 20 ten times as long: it makes a
 * hidden class for each object.
 */
export const withFacts = (facts: Facts, more: Facts): Facts => Object.assign({}, facts, more);

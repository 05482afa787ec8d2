/** The program's generator: the same numbers in every run. */
export { createRandom, type Random } from '../../src/base/random.js';

/** The generator of the program: the same numbers in every run of a test or benchmark. */
export { createRandom, type Random } from '../../src/base/random.js';

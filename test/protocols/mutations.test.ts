/** Properties of every facts parser and confirmation on mutated bytes: total and consistent. */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { native } from '../../src/addon.js';
import { compileClassifier } from '../../src/protocols/compile.js';
import { mutate } from '../support/mutants.js';
import { createRandom, type Random } from '../support/random.js';
import { parsers } from './parsers.js';

const mutants = { facts: 100_000, confirm: 20_000 } as const;
const mutantsPerRun = 100;

describe.each(parsers)('$name', ({ question, transport, recognizer, ask, seeds }) => {
  const classifier = new native.Classifier(compileClassifier([recognizer], 1));
  const verdicts = question === 'facts' ? ['facts', 'more', 'broken', 'no'] : ['match', 'more', 'no'];

  /** Feeds the bytes from the signature's match on: an answer must stay the same for all longer prefixes. */
  function isOfOneMind(mutant: Buffer, random: Random): boolean {
    const { verdict, decidedAt } = classifier.identify(mutant);
    if (verdict !== 'match') return true;
    const early = ask(mutant.subarray(0, decidedAt + random(mutant.length - decidedAt + 1)));
    return early.verdict === 'more' || isDeepStrictEqual(ask(mutant), early);
  }

  test('answers, and keeps to it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1 }), (seed) => {
        const random = createRandom(seed);
        for (let i = 0; i < mutantsPerRun; i++) {
          const mutant = mutate(seeds[random(seeds.length)] ?? new Uint8Array(), random);
          if (!verdicts.includes(ask(mutant).verdict)) return false;
          // Datagrams have no longer prefixes.
          if (transport === 'tcp' && !isOfOneMind(mutant, random)) return false;
        }
        return true;
      }),
      { numRuns: mutants[question] / mutantsPerRun },
    );
  });
});

/** The product of two signatures agrees with the signatures themselves. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Automaton } from '../../../src/model/classifier.js';
import { leavesNothing, sharedOpening, shortestOpening } from '../../../src/protocols/dfa/overlap.js';
import { compileSignature } from '../../../src/protocols/dfa/signature.js';
import { createMatcher } from '../../../src/protocols/matcher.js';

/** Small patterns over three bytes, so that they meet often. */
const anyPattern = fc
  .array(fc.constantFrom('a', 'b', 'c', '[ab]', '[^a]', 'a?', 'b*', '(?:ab|c)', '.{1,2}'), {
    minLength: 1,
    maxLength: 4,
  })
  .map((parts) => `^${parts.join('')}`);

const anyAutomaton = anyPattern.map((pattern) => compileSignature({ patterns: [pattern] })).filter(isOk);

function isOk(compiled: ReturnType<typeof compileSignature>): compiled is { ok: true; automaton: Automaton } {
  return compiled.ok;
}

const anyBytes = fc
  .array(fc.constantFrom(0x61, 0x62, 0x63, 0x64), { maxLength: 8 })
  .map((bytes) => Uint8Array.from(bytes));

const matches = (automaton: Automaton, bytes: Uint8Array): boolean =>
  createMatcher({ automata: [automaton], routable: 1 }).advance(bytes).verdict === 'match';

test('an opening that is said to be shared matches both, and one byte less does not', () => {
  fc.assert(
    fc.property(anyAutomaton, anyAutomaton, ({ automaton: a }, { automaton: b }) => {
      const shared = sharedOpening(a, b);
      if (shared === null) return;
      expect([matches(a, shared), matches(b, shared)]).toEqual([true, true]);
      const shorter = shared.subarray(0, -1);
      expect(matches(a, shorter) && matches(b, shorter)).toBe(false);
    }),
  );
});

test('what both match is shared', () => {
  fc.assert(
    fc.property(anyAutomaton, anyAutomaton, anyBytes, ({ automaton: a }, { automaton: b }, bytes) => {
      fc.pre(matches(a, bytes) && matches(b, bytes));
      expect(sharedOpening(a, b)).not.toBeNull();
    }),
  );
});

test('where nothing is left, whatever the second matches the first matches', () => {
  fc.assert(
    fc.property(anyAutomaton, anyAutomaton, anyBytes, ({ automaton: a }, { automaton: b }, bytes) => {
      if (leavesNothing(a, b) && matches(b, bytes)) expect(matches(a, bytes)).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test('a signature leaves nothing to itself, and its shortest opening matches', () => {
  fc.assert(
    fc.property(anyAutomaton, ({ automaton }) => {
      expect(leavesNothing(automaton, automaton)).toBe(true);
      expect(matches(automaton, shortestOpening(automaton))).toBe(true);
    }),
  );
});

/** States that go on alike are one, whatever led to them, and nothing is said otherwise for it. */
import { describe, expect, test } from 'vitest';
import { compileClassifier } from '../../../src/protocols/compile.js';
import { compileSignature } from '../../../src/protocols/dfa/signature.js';
import { text } from '../../cases/case.js';
import { engines } from '../engines.js';

/** Dead and accept included. */
function statesOf(...patterns: string[]): number {
  const compiled = compileSignature({ patterns });
  if (!compiled.ok) throw new Error(compiled.problems.join());
  const [dfa] = compiled.automaton.dfas;
  return dfa ? dfa.transitions.length / dfa.classCount : 0;
}

const alike = [
  {
    why: 'the same end behind other beginnings',
    patterns: ['^ab(?:cd){8}e', '^ba(?:cd){8}e'],
    states: 2 + 3 + 17,
  },
  { why: 'loops that are left alike', patterns: ['^ax*y', '^bx*y'], states: 2 + 2 },
  { why: 'a loop at the start', patterns: ['^a*b'], states: 2 + 1 },
  { why: 'nothing', patterns: ['^abc'], states: 2 + 3 },
];

test.each(alike)('$why', ({ patterns, states }) => expect(statesOf(...patterns)).toBe(states));

describe('a loop at the start', () => {
  const tables = compileClassifier([{ id: 'loop', signature: { patterns: ['^a*b'] } }], 1);
  const openings = [
    { opening: 'b', verdict: 'match', decidedAt: 1 },
    { opening: 'aab', verdict: 'match', decidedAt: 3 },
    { opening: 'aa', verdict: 'more', decidedAt: 2 },
    { opening: 'ac', verdict: 'unknown', decidedAt: 2 },
  ];

  test.each(openings)('$opening: $verdict', ({ opening, verdict, decidedAt }) => {
    for (const create of Object.values(engines)) {
      expect(create(tables)(text(opening))).toMatchObject({ verdict, decidedAt });
    }
  });
});

/** Automata compiled by the build equal those compiled at start. */
import { describe, expect, test } from 'vitest';
import { compileAutomaton, signatureText } from '../../src/protocols/compile.js';
import { compileSignature } from '../../src/protocols/dfa/signature.js';
import { protocols } from '../../src/protocols/index.js';
import { readPrecompiled } from '../../src/protocols/precompiled.js';

const built = new Map(readPrecompiled(new URL('../../dist/protocols/automata.json', import.meta.url)));

describe('the built program has the automaton', () => {
  test.each(protocols)('of $id', ({ signature }) => {
    const compiled = compileSignature(signature);
    expect(compiled.ok && compiled.automaton).toEqual(built.get(signatureText(signature)));
  });
});

test('threads share automata: a Plan that is posted takes no copies along', () => {
  const custom = { id: 'x', signature: { startBytes: ['aa55'] } };
  const arrays = [...protocols, custom]
    .map(compileAutomaton)
    .flatMap(({ dfas, checks }) => [
      checks,
      ...dfas.flatMap(({ classes, transitions }) => [classes, transitions]),
    ]);
  expect(arrays.filter(({ buffer }) => !(buffer instanceof SharedArrayBuffer))).toEqual([]);
});

test('without the file they are compiled', () => {
  expect(readPrecompiled(new URL('file:///nowhere/automata.json'))).toEqual([]);
  expect(compileAutomaton({ id: 'x', signature: { startBytes: ['aa55'] } }).dfas).toHaveLength(1);
});

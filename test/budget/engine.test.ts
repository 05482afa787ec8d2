/** Figures of the engine that a budget counts with. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { fileCosts } from '../../src/budget/open-files.js';
import { pipeBytes, pipeSizes } from '../../src/budget/pipes.js';

/** A constant of a header, written as a product. */
function constantIn(header: string, name: string): number {
  const [, text = ''] =
    new RegExp(`${name} = ([\\d *]+);`).exec(readFileSync(`native/${header}`, 'utf8')) ?? [];
  return text.split('*').reduce((all, factor) => all * Number(factor), 1);
}

test('sizes of pipes', () => {
  expect(pipeSizes).toEqual({
    large: constantIn('relay/pipes.h', 'kPipesLarge'),
    largeBytes: constantIn('relay/pipes.h', 'kPipeBytes'),
    smallBytes: constantIn('relay/pipes.h', 'kPipeBytesSmall'),
  });
});

test('accepts in a turn', () => {
  expect(fileCosts.acceptsPerTurn).toBe(constantIn('engine/listeners.h', 'kAcceptsPerTurn'));
});

test('the first pipes are large', () => {
  expect(pipeBytes(3)).toBe(3 * pipeSizes.largeBytes);
  expect(pipeBytes(20)).toBe(16 * pipeSizes.largeBytes + 4 * pipeSizes.smallBytes);
});

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { pipeBytes, pipeSizes } from '../../src/budget/pipes.js';

test('sizes are those of the engine', () => {
  const header = readFileSync('native/relay/pipes.h', 'utf8');
  const product = (name: string) => {
    const [, text = ''] = new RegExp(`${name} = ([\\d *]+);`).exec(header) ?? [];
    return text.split('*').reduce((all, factor) => all * Number(factor), 1);
  };
  expect(pipeSizes).toEqual({
    large: product('kPipesLarge'),
    largeBytes: product('kPipeBytes'),
    smallBytes: product('kPipeBytesSmall'),
  });
});

test('the first ones are large', () => {
  expect(pipeBytes(3)).toBe(3 * pipeSizes.largeBytes);
  expect(pipeBytes(20)).toBe(16 * pipeSizes.largeBytes + 4 * pipeSizes.smallBytes);
});

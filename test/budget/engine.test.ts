/** Figures of the engine that a budget counts with. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { demandOf } from '../../src/budget/demand.js';
import { memoryCosts, memoryPeaks } from '../../src/budget/memory.js';
import { itemsOf } from '../../src/budget/need.js';
import { fileCosts } from '../../src/budget/open-files.js';
import { pipeBytes, pipeSizes } from '../../src/budget/pipes.js';
import { configOf } from '../config/support.js';

/** A constant of a header, written as a product. */
function constantIn(header: string, name: string): number {
  const [, text = ''] =
    new RegExp(`${name} = ([\\d' *]+);`).exec(readFileSync(`native/${header}`, 'utf8')) ?? [];
  return text
    .replaceAll("'", '')
    .split('*')
    .reduce((all, factor) => all * Number(factor), 1);
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

test('sources remembered', () => {
  expect(memoryCosts.sources).toBe(constantIn('admission/sources.h', 'kSourcesMax'));
});

test('the first pipes are large', () => {
  expect(pipeBytes(3)).toBe(3 * pipeSizes.largeBytes);
  expect(pipeBytes(20)).toBe(16 * pipeSizes.largeBytes + 4 * pipeSizes.smallBytes);
});

test.each([
  { why: 'nothing is asked of sources', server: {}, security: {}, bytes: undefined },
  { why: 'their connections', server: { max_connections_per_ip: 5 }, security: {}, bytes: 29_360_128 },
  { why: 'their rate', server: {}, security: { enable_rate_limit: true }, bytes: 29_360_128 },
  { why: 'the guard', server: {}, security: { enable_ddos_guard: true }, bytes: 29_360_128 },
])('memory of sources: $why', ({ server, security, bytes }) => {
  const demand = demandOf(
    configOf(JSON.stringify({ server, security, protocols: [{ name: 'SSH', target: 'a:1' }] })),
  );
  expect(itemsOf(memoryPeaks, demand).find(({ name }) => name === 'sources')?.needed).toBe(bytes);
});

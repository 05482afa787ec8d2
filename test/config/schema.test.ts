/** The schema as others see it: JSON Schema for editors, a reference for people. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { configurationDocs } from '../../src/config/docs.js';
import { findPending, pendingKeys } from '../../src/config/pending.js';
import { jsonSchema } from '../../src/config/schema/index.js';
import { problemsOf } from './support.js';

interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode | boolean;
  readonly items?: SchemaNode;
}

function stepInto(node: SchemaNode | undefined, part: string): SchemaNode | undefined {
  if (part === '[]') return node?.items;
  if (part !== '*') return node?.properties?.[part];
  const { additionalProperties: free, properties } = node ?? {};
  return typeof free === 'object' ? free : Object.values(properties ?? {})[0];
}

test('JSON Schema describes what is written, not what it becomes', () => {
  expect(jsonSchema()).toMatchObject({
    properties: {
      server: {
        properties: { idle_timeout: { type: 'string', default: '1h' } },
        additionalProperties: false,
      },
    },
  });
});

describe('pending keys', () => {
  test.each(pendingKeys)('$pattern is a key of the schema', ({ pattern }) => {
    let node: SchemaNode | undefined = jsonSchema() as SchemaNode;
    for (const part of pattern.split('.')) node = stepInto(node, part);
    expect(node).toBeDefined();
  });

  test('what is not a configuration has none', () => expect(findPending('server')).toEqual([]));
});

test('the whole documented range of `offset` can be used', () => {
  const offset = stepInto(stepInto(stepInto(jsonSchema() as SchemaNode, 'protocols'), '[]'), 'offset');
  const { maximum } = offset as unknown as { maximum: number };
  const at = (byte: number) =>
    `protocols: [{ name: Mine, target: "127.0.0.1:1", start_bytes: ["${'ab'.repeat(512)}", "00"], offset: ${byte} }]`;
  expect(problemsOf(at(maximum))).toEqual([]);
  expect(problemsOf(at(maximum + 1))).toEqual([expect.stringContaining('protocols[0].offset')]);
});

test('docs/configuration.md is what the schema says (npm run build:ts && node scripts/docs.mjs)', () =>
  expect(readFileSync('docs/configuration.md', 'utf8')).toBe(configurationDocs()));

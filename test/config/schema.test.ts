/** The schema as others see it: JSON Schema for editors, a reference for people. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { configurationDocs } from '../../src/config/docs.js';
import { jsonSchema } from '../../src/config/schema/index.js';
import { conditions } from '../../src/routing/conditions/index.js';
import { problemsOf } from './support.js';

interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode | boolean;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
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

test('`when` has the conditions of the table, `not`, and nothing else', () => {
  const when = ['routes', '[]', 'when'].reduce(stepInto, jsonSchema() as SchemaNode | undefined);
  expect(Object.keys(when?.properties ?? {})).toEqual([...Object.keys(conditions), 'not']);
});

/** Every place of the file, with what leads to it: lists have one item, and names are `any`. */
function places(node: SchemaNode, wrap: (value: unknown) => unknown): ((value: unknown) => unknown)[] {
  const forms = [node, ...(node.anyOf ?? [])];
  const inner = forms.flatMap(({ properties = {}, additionalProperties: free, items }) => [
    ...Object.entries(properties).flatMap(([key, each]) => places(each, (value) => wrap({ [key]: value }))),
    ...(typeof free === 'object' ? places(free, (value) => wrap({ any: value })) : []),
    ...(items ? places(items, (value) => wrap([value])) : []),
  ]);
  return [wrap, ...inner];
}

describe('whatever is written anywhere, the message is one of ours', () => {
  const everywhere = places(jsonSchema() as SchemaNode, (value) => value);
  const values = [[], [[]], {}, { any: {} }, true, null, -1, 1.5, 1e12, '', 'no such thing', '*'];
  test.each(values.map((value) => [JSON.stringify(value), value]))('%s', (_, value) => {
    const said = everywhere.flatMap((place) => problemsOf(JSON.stringify(place(value))));
    expect(everywhere.length).toBeGreaterThan(100);
    expect(said.filter((line) => /invalid|too (big|small)|required|undefined/i.test(line))).toEqual([]);
  });
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

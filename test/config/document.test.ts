// biome-ignore-all lint/suspicious/noTemplateCurlyInString: a configuration writes references like this

/** Configurations that come as plain data, from the control interface or the library. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import { formatProblem } from '../../src/config/report.js';

const directory = mkdtempSync(join(tmpdir(), 'anyport-document-'));
afterAll(() => rmSync(directory, { recursive: true }));

const load = (document: unknown) => loadConfig({ document, directory });

const problems = (document: unknown): string[] => {
  const loaded = load(document);
  return loaded.ok ? [] : loaded.problems.map(formatProblem);
};

test('what a file says, a document says too', () => {
  const file = join(directory, 'a.yaml');
  writeFileSync(join(directory, 'h.mjs'), '');
  writeFileSync(
    file,
    'server: { listen: ":${PORT}", workers: 2 }\nprotocols: [{ name: SSH, handler: ./h.mjs }, { name: TLS, target: "web:443" }]\n',
  );
  const read = loadConfig({
    file,
    flags: { workers: '3', route: [{ name: 'redis', target: 'r:1' }] },
    environment: { PORT: '81' },
  });
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  expect(read).toMatchObject({ directory, files: [file] });
  expect(read.document).toEqual({
    server: { listen: ':81', workers: 3 },
    protocols: [
      { name: 'SSH', handler: './h.mjs' },
      { name: 'TLS', target: 'web:443' },
      { name: 'redis', target: 'r:1' },
    ],
  });
  // But not where it is said.
  const config = { ...read.config, origins: read.config.origins.map((each) => ({ ...each, from: null })) };
  expect(load(structuredClone(read.document))).toEqual({ ...read, config, name: 'document', files: [] });
});

test('problems have key paths and no line', () =>
  expect(problems({ server: { workers: 0, wrokers: 1 }, protocols: [{ name: 'HTP' }] })).toEqual([
    expect.stringMatching(/^server\.workers: expected/),
    'server.wrokers: unknown key `wrokers`: did you mean `workers`?',
    expect.stringMatching(/^protocols\[0\]\.name: unknown protocol `HTP`/),
  ]));

test('names of the language are names like any other', () => {
  const named = (name: string) => ({
    listeners: [{ name, address: ':1', on_unknown: name }],
    protocols: [{ name: 'SSH', target: name }],
    upstreams: JSON.parse(`{ "${name}": { "endpoints": ["a:1"] } }`),
    routes: [{ when: { listener: name, sni: 'a.example' }, to: name }],
  });
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    expect(problems(named(name))).toEqual([]);
    expect(load(named(name))).toMatchObject({ config: { upstreams: [{ name }] }, document: named(name) });
  }
  expect(problems(JSON.parse('{ "protocols": [{ "name": "__proto__", "target": "a:1" }] }'))).toEqual([
    expect.stringMatching(
      /^protocols\[0\]\.name: expected a name of .* a letter or digit first, got "__proto__"$/,
    ),
  ]);
});

test('a problem is one line, whatever names it has', () => {
  const found = problems({
    upstreams: { 'a\nb\u001b[31m': { endpoints: ['a:1'] } },
    'x\ny': 1,
    server: { 'x\ny': 1 },
  });
  expect(found).toHaveLength(3);
  expect(found.join('')).not.toMatch(/\p{Cc}/u);
  expect(found).toContainEqual('server.x\\x0ay: unknown key `x\\x0ay`');
});

test('a copy: what the caller changes afterwards is not seen', () => {
  const document = { protocols: [{ name: 'SSH', target: 'a:22', priority: undefined }] };
  const loaded = load(document);
  document.protocols.pop();
  expect(loaded).toMatchObject({ document: { protocols: [{ name: 'SSH', target: 'a:22' }] } });
});

const deep = (levels: number): unknown => (levels === 0 ? 1 : { a: deep(levels - 1) });
const round: unknown[] = [];
round.push(round);

describe('bad input', () => {
  test.each([
    {
      why: 'no mapping',
      document: 'server: {}',
      expect: /^expected a mapping of keys and values, got "server/,
    },
    { why: 'null', document: null, expect: null },
    { why: 'a list', document: [], expect: /^expected a mapping of keys and values, got an empty list$/ },
    {
      why: 'a function',
      document: { server: { listen: () => ':1' } },
      expect: /^server\.listen: is a function/,
    },
    { why: 'a date', document: { server: { listen: new Date(0) } }, expect: /^server\.listen: is a Date/ },
    { why: 'a bigint', document: { server: { workers: 1n } }, expect: /^server\.workers: is a bigint/ },
    { why: 'deep', document: deep(100), expect: /a: is nested deeper than 64 levels/ },
    { why: 'round', document: { protocols: round }, expect: /is nested deeper than 64 levels/ },
    {
      why: 'a million values',
      document: { protocols: Array.from({ length: 1_000_001 }, () => 1) },
      expect: /^protocols\[999\d+\]: is more than 1000000 values/,
    },
    {
      why: 'texts of 20 MiB',
      document: { admin: { token: 'x'.repeat(20 * 1024 ** 2) } },
      expect: /^admin\.token: is more than .* 16777216 characters/,
    },
    {
      why: 'a reference',
      document: { admin: { token: '${TOKEN}' } },
      expect: /^admin\.token: `\$\{TOKEN\}` is replaced in files alone/,
    },
  ])('$why', ({ document, expect: expected }) => {
    const found = problems(document);
    if (expected === null) expect(found).toEqual([]);
    else expect(found.join('\n')).toMatch(expected);
  });
});

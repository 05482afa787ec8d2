/** Input on which the YAML library throws or that is not text: reported with its position and advice. */
import { closeSync, ftruncateSync, openSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import { plainLimits } from '../../src/config/plain.js';
import { formatProblem } from '../../src/config/report.js';
import { FILE_BYTES_MAX } from '../../src/config/text.js';
import { anyport } from '../support/daemon.js';
import { runProgram } from '../support/process.js';
import { type TempFolder, tempFolder } from '../support/temp.js';
import { configOf, problemsOf } from './support.js';

let folder: TempFolder;
beforeAll(() => {
  folder = tempFolder();
});
afterAll(() => folder.remove());

const program = new URL('../../bin/anyport', import.meta.url).pathname;

/** `$0` is the program. */
const shell = (script: string) => runProgram('bash', ['-c', script, program]);

interface Case {
  readonly why: string;
  readonly text: string;
  /** Beginning of the first line. */
  readonly says: string;
}

const routes = (condition: string) => `routes:\n  - { when: { ${condition} }, to: close }\n`;

const nodes: Case[] = [
  {
    why: 'a wildcard without quotes is an alias',
    text: routes('sni: *.example.com'),
    says: 'any.yaml:2:20: routes[0].when.sni: no anchor `&.example.com` stands before `*.example.com`: quote it, `"*.example.com"`',
  },
  {
    why: 'an anchor that comes later',
    text: 'server: *later\nlogging: &later {}',
    says: 'any.yaml:1:9: server: no anchor `&later` stands before `*later`',
  },
  {
    why: 'a merge of what is no mapping',
    text: 'server:\n  <<: 5\n',
    says: 'any.yaml:2:3: server.<<: takes a mapping, or a list of mappings, such as `<<: *name`',
  },
  {
    why: 'a merge of a list with something else in it',
    text: 'server: &s { workers: 2 }\nlogging:\n  <<: [*s, text]\n',
    says: 'any.yaml:3:3: logging.<<: takes a mapping, or a list of mappings',
  },
  {
    why: 'an alias inside of what it stands for',
    text: 'server: &a\n  listen: *a\n',
    says: 'any.yaml:2:11: server.listen: `*a` stands inside of what it stands for',
  },
  {
    why: 'a key that is a list',
    text: 'server:\n  ? [a, b]\n  : 1\n',
    says: 'any.yaml:2:5: server: has a key that is a mapping or a list',
  },
  {
    why: 'a reference for a key',
    text: 'server:\n  $' + '{KEY}: 1\n',
    says: 'any.yaml:2:3: server: a reference can not stand for a key',
  },
  {
    why: 'a key twice, with both places',
    text: 'server:\n  workers: 1\n  accept: handoff\n  workers: 2\n',
    says: 'any.yaml:4:3: server.workers: is written twice, here and at 2:3: keep one',
  },
  {
    why: 'a key that every object has',
    text: '__proto__: { a: 1 }\n',
    says: 'any.yaml:1:1: __proto__: unknown key `__proto__`',
  },
];

const syntax: Case[] = [
  {
    why: 'a star alone',
    text: routes('sni: *'),
    says: 'any.yaml:2:20: not valid YAML: `*` begins an alias, and no name follows: quote the value',
  },
  {
    why: 'several documents',
    text: 'server: {}\n---\nserver: {}\n',
    says: 'any.yaml:2:1: not valid YAML: a second document begins here: keep one in a file',
  },
  {
    why: 'a tab that indents',
    text: 'server:\n\tworkers: 1\n',
    says: 'any.yaml:2:1: not valid YAML: a tab indents this line: write spaces',
  },
  {
    why: 'a second colon',
    text: 'server:\n  listen: a: b\n',
    says: 'any.yaml:2:11: not valid YAML: a second `: ` in one line: quote the value',
  },
  {
    why: 'no colon',
    text: 'server:\n  workers\n  accept: handoff\n',
    says: 'any.yaml:2:3: not valid YAML: a line without `: `',
  },
  {
    why: 'a bracket that stays open',
    text: 'server: { workers: 1\nlogging: {}\n',
    says: 'any.yaml:2:1: not valid YAML: a bracket before this is not closed',
  },
  {
    why: 'a tag',
    text: 'server: { workers: !many 4 }',
    says: 'any.yaml:1:20: not valid YAML: `!` begins a tag, and none is known here: quote the value if it is text',
  },
  {
    why: 'a backslash in double quotes',
    text: 'server: { listen: "\\d" }',
    says: 'any.yaml:1:20: not valid YAML: Invalid escape sequence \\d: write `\\\\` for a backslash, or single quotes',
  },
  {
    why: 'a NUL',
    text: 'server:\n  listen: ":\0"',
    says: 'any.yaml:2:13: a NUL byte: it is no text, or UTF-16',
  },
  {
    why: 'a colour of a terminal',
    text: 'server: \x1b[1m',
    says: 'any.yaml:1:9: the control character U+001b stands inside of the file',
  },
  {
    why: 'a byte order mark where two files were joined',
    text: 'server: {}\n\ufefflogging: {}',
    says: 'any.yaml:2:1: a byte order mark stands inside of the file',
  },
  {
    why: 'brackets without an end',
    text: '['.repeat(5000),
    says: 'any.yaml:1:65: nested deeper than 64 levels',
  },
  {
    why: 'items of items of items',
    text: `server:\n  ${'- '.repeat(5000)}`,
    says: 'any.yaml:2:131: nested deeper than 64 levels',
  },
];

describe.each([
  { kind: 'values that can not be used', cases: nodes },
  { kind: 'what is not YAML', cases: syntax },
])('$kind', ({ cases }) => {
  test.each(cases)('$why', ({ text, says }) => {
    const problems = problemsOf(text);
    expect(problems[0]?.slice(0, says.length)).toBe(says);
    expect(problems.length).toBeLessThanOrEqual(2);
  });
});

test('a value that can not be used does not hide what is wrong elsewhere', () => {
  const problems = problemsOf(
    `${routes('sni: *.example.com')}server:\n  workers: 0\n  workers: 1\nlogging: { level: loud }\n`,
  );
  expect(problems.map((line) => line.split(': ')[1])).toEqual([
    'routes[0].when.sni',
    'server.workers',
    'logging.level',
  ]);
});

test('brackets in quotes are no levels', () => {
  const text = `protocols:\n${'  - { name: P, target: "a:1", regex: [\'^\\[\\{\'] }\n'.repeat(80)}`;
  expect(problemsOf(text).join('\n')).not.toContain('nested');
});

test('nested deeper than any key needs, without brackets', () => {
  const lines = Array.from({ length: plainLimits.depthMax + 2 }, (_, level) => `${' '.repeat(level)}a:`);
  const problems = problemsOf(lines.join('\n'));
  expect(problems.filter((line) => line.includes('is nested deeper than'))).toHaveLength(1);
});

describe('anchors', () => {
  test('are used again as often as one likes', () => {
    const text = `upstreams: { web: { endpoints: ["a:1"] } }
routes:
  - &one { when: { protocol: tls, sni: a.example }, to: web }
${'  - *one\n'.repeat(5000)}`;
    expect(configOf(text).routes).toHaveLength(5001);
  });

  test('a problem behind an alias stands where it is written', () => {
    const text = `upstreams:
  a: &a { endpoints: ["a:1"], retries: 99 }
  b: { <<: *a, balance: random_two }
  c: *a`;
    const places = problemsOf(text).map((line) => line.split(': ').slice(0, 2));
    expect(places).toEqual([
      ['any.yaml:2:31', 'upstreams.a.retries'],
      ['any.yaml:2:31', 'upstreams.b.retries'],
      ['any.yaml:2:31', 'upstreams.c.retries'],
    ]);
  });

  test('what a mapping says itself wins over what it merges, and the first source over the second', () => {
    const text = `upstreams:
  a: &a { endpoints: ["a:1"], retries: 1, balance: random_two }
  b: &b { endpoints: ["b:1"], retries: 3 }
  c: { retries: 7, <<: [*b, *a] }`;
    expect(configOf(text).upstreams[2]).toMatchObject({
      options: { retries: 7, balance: 'random_two' },
      endpoints: [{ name: 'b:1' }],
    });
  });

  test('that multiply are stopped, and nothing is expanded', () => {
    const ten = (name: string) => Array.from({ length: 10 }, () => `*${name}`).join(', ');
    const layers = ['b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'].map(
      (name, index) => `- &${name} [${ten('abcdefgh'[index] ?? '')}]`,
    );
    const problems = problemsOf(`routes:\n- &a [x, x, x, x, x, x, x, x, x, x]\n${layers.join('\n')}\n`);
    expect(
      problems.filter((line) => line.includes(`more than ${plainLimits.valuesMax} values`)),
    ).toHaveLength(1);
  });
});

describe('files', () => {
  const load = (name: string, bytes: Uint8Array) => {
    const file = `${folder.path}/${name}`;
    writeFileSync(file, bytes);
    return loadConfig({ file, flags: {}, environment: {} });
  };
  const said = (name: string, bytes: Uint8Array) => {
    const loaded = load(name, bytes);
    return loaded.ok
      ? []
      : loaded.problems.map((problem) => formatProblem(problem).slice(folder.path.length + 1));
  };

  test('a byte order mark at the start is left out', () => {
    expect(load('bom', Buffer.from('\ufeffserver: { workers: 1 }')).ok).toBe(true);
    expect(said('bom', Buffer.from('\ufeffserver: { workers: 0 }'))[0]).toMatch(/^bom:1:11: server.workers/);
  });

  test('UTF-16', () =>
    expect(said('utf16', Buffer.from('\ufeffserver: {}', 'utf16le'))).toEqual([
      'utf16:1:1: is UTF-16: save it as UTF-8',
    ]));

  test('Latin-1, with the place of the letter', () =>
    expect(said('latin', Buffer.from('# ä\nserver: {} # caf\xe9', 'latin1'))).toEqual([
      'latin:1:3: is not UTF-8 here (byte 0xe4): save it as UTF-8',
    ]));

  test('a character that is cut off at the end', () =>
    expect(said('cut', Buffer.from('a: "\u20ac').subarray(0, 6))[0]).toMatch(
      /^cut:1:5: is not UTF-8 here \(byte 0xe2\)/,
    ));

  test('100 MiB are not read', () => {
    const file = `${folder.path}/large`;
    const fd = openSync(file, 'w');
    ftruncateSync(fd, 100 * FILE_BYTES_MAX);
    closeSync(fd);
    expect(loadConfig({ file, flags: {}, environment: {} })).toMatchObject({
      problems: [{ message: expect.stringContaining('larger than 1 MiB') }],
    });
  });

  test('a folder', () =>
    expect(loadConfig({ file: folder.path, flags: {}, environment: {} })).toMatchObject({
      problems: [{ message: 'can not read it: it is a directory' }],
    }));

  test('a pipe is read to its end, however late that comes', async () => {
    const { status, stderr } = await shell(
      '"$0" check -c <(sleep 0.3; echo "server: {}"; sleep 0.3; echo oops)',
    );
    expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringMatching(/^\/dev\/fd\/\d+:2:1: /) });
  });

  test('a pipe that nobody writes to', async () => {
    const { status, stderr } = await shell(`mkfifo ${folder.path}/pipe; "$0" check -c ${folder.path}/pipe`);
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: expect.stringContaining('/pipe: is empty\n'),
    });
  });

  test.each(['', ' \n\n'])('an empty file %j: it may be half written', (text) =>
    expect(said('empty', Buffer.from(text))).toEqual(['empty: is empty']),
  );

  test('a device without an end', () =>
    expect(loadConfig({ file: '/dev/zero', flags: {}, environment: {} })).toMatchObject({
      problems: [{ message: expect.stringContaining('larger than 1 MiB') }],
    }));

  test.each(['check', 'run', 'explain'])(
    '%s: exit 2, the problem with its place, no stack',
    async (command) => {
      const file = `${folder.path}/alias.yaml`;
      writeFileSync(file, routes('sni: *.example.com'));
      const { status, stdout, stderr } = await anyport([command, '-c', file]);
      expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
      expect(stderr.split('\n')[0]).toContain(`${file}:2:20: routes[0].when.sni: no anchor`);
      expect(stderr).not.toMatch(/^ +at /m);
    },
  );

  test('of a thousand problems the first are shown', async () => {
    const file = `${folder.path}/thousand.yaml`;
    writeFileSync(
      file,
      `upstreams:\n${Array.from({ length: 1000 }, (_, index) => `  u${index}: {}\n`).join('')}`,
    );
    const { status, stderr } = await anyport(['check', '-c', file]);
    expect(status).toBe(2);
    expect(stderr.trimEnd().split('\n')).toHaveLength(201);
    expect(stderr).toContain('1,000 problems in the configuration, of which the first 200 are shown');
  });
});

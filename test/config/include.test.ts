// biome-ignore-all lint/suspicious/noTemplateCurlyInString: a configuration writes references like this
/** A configuration in several files: what belongs to it, how it is joined, and where its problems are. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { includeLimits } from '../../src/config/include/files.js';
import { type Loaded, loadConfig } from '../../src/config/load.js';
import { formatProblem, formatWarning } from '../../src/config/report.js';
import { type TempFolder, tempFolder } from '../support/temp.js';

let folder: TempFolder;
beforeEach(() => {
  folder = tempFolder();
});
afterEach(() => folder.remove());

/** `anyport.yaml` is the main file. */
type Files = Readonly<Record<string, string>>;

function load(files: Files): Loaded {
  for (const [name, text] of Object.entries(files)) {
    const file = join(folder.path, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return loadConfig({ file: join(folder.path, 'anyport.yaml'), flags: {}, environment: {} });
}

function accepted(files: Files) {
  const loaded = load(files);
  if (!loaded.ok) throw new Error(loaded.problems.map(formatProblem).join('\n'));
  return loaded;
}

/** Without the temporary folder. */
const plain = (text: string): string => text.replaceAll(`${folder.path}/`, '').replaceAll(folder.path, '.');

function problems(files: Files): string[] {
  const loaded = load(files);
  return loaded.ok ? [] : loaded.problems.map((problem) => plain(formatProblem(problem)));
}

const all = 'include: conf.d/*.yaml\n';

describe('joined', () => {
  test('lists are appended in the order of names, mappings joined key by key', () => {
    const { document, config } = accepted({
      'anyport.yaml': `${all}server: { listen: ":81" }\nroutes: [{ when: { sni: first.example }, to: web }]\n`,
      'conf.d/20-b.yaml': 'routes: [{ when: { sni: b.example }, to: web }]\nserver: { workers: 2 }\n',
      'conf.d/10-a.yaml':
        'routes: [{ when: { sni: a.example }, to: api }]\nupstreams: { api: { endpoints: ["a:1"] } }',
      'conf.d/web.yaml': 'upstreams: { web: { endpoints: ["w:1"] } }',
      'conf.d/not.yml': 'what: ever',
      'conf.d/.hidden.yaml': 'what: ever',
      'conf.d/empty.yaml': '',
    });
    expect(document).toEqual({
      server: { listen: ':81', workers: 2 },
      routes: ['first', 'a', 'b'].map((name) => ({
        when: { sni: `${name}.example` },
        to: name === 'a' ? 'api' : 'web',
      })),
      upstreams: { api: { endpoints: ['a:1'] }, web: { endpoints: ['w:1'] } },
    });
    expect(config.routes.map(({ name }) => name)).toEqual(['routes[0]', 'routes[1]', 'routes[2]']);
  });

  test('paths and patterns in their order, each file once', () => {
    const one = (name: string) => `routes: [{ when: { sni: ${name}.example }, to: reset }]`;
    const { config } = accepted({
      'anyport.yaml': 'include: [z.yaml, "?.yaml"]',
      'z.yaml': one('z'),
      'a.yaml': one('a'),
      'bb.yaml': one('bb'),
    });
    expect(config.routes.map(({ when }) => when.sni)).toEqual(['z.example', 'a.example']);
  });

  test('modules are relative to the file that names them', () => {
    const { document, config } = accepted({
      'anyport.yaml': `${all}upstreams: { main: { handler: ./h.mjs } }`,
      'conf.d/a.yaml':
        'protocols: [&ssh { name: SSH, handler: h/x.mjs }, { <<: *ssh, name: TLS }, { name: HTTP, handler: "builtin:http" }]\nupstreams: { other: { handler: ../h.mjs } }',
      'h.mjs': '',
      'conf.d/h/x.mjs': '',
    });
    expect(document).toMatchObject({
      protocols: [
        { handler: './conf.d/h/x.mjs' },
        { handler: './conf.d/h/x.mjs' },
        { handler: 'builtin:http' },
      ],
      upstreams: { main: { handler: './h.mjs' }, other: { handler: './h.mjs' } },
    });
    const modules = config.upstreams.map(({ handler }) => plain(handler ?? ''));
    expect(new Set(modules)).toEqual(new Set(['file://h.mjs', 'file://conf.d/h/x.mjs', 'builtin:http']));
  });

  test('a pattern without a match', () => {
    mkdirSync(join(folder.path, 'conf.d'));
    expect(accepted({ 'anyport.yaml': all }).document).toEqual({});
  });

  test('files behind links of links, as Kubernetes mounts them', () => {
    mkdirSync(join(folder.path, 'conf.d/..2026'), { recursive: true });
    writeFileSync(join(folder.path, 'conf.d/..2026/a.yaml'), 'server: { workers: 2 }');
    symlinkSync('..2026', join(folder.path, 'conf.d/..data'));
    symlinkSync('..data/a.yaml', join(folder.path, 'conf.d/a.yaml'));
    expect(accepted({ 'anyport.yaml': all }).config.server.workers).toBe(2);
  });
});

test('what to watch: the files, and the folders of patterns; also when they are wrong', () => {
  const files = ['anyport.yaml', 'conf.d', 'conf.d/a.yaml', 'gone/b.yaml'].map((name) =>
    join(folder.path, name),
  );
  const texts = { 'anyport.yaml': 'include: ["conf.d/*.yaml", gone/b.yaml]', 'conf.d/a.yaml': 'server: {}' };
  const refused = load(texts);
  expect(refused).toMatchObject({ ok: false, files });
  expect(accepted({ ...texts, 'gone/b.yaml': 'logging: {}' }).files).toEqual(files);
});

describe('problems', () => {
  test('of all files at once, each in its own file, with the key path that stands there', () =>
    expect(
      problems({
        'anyport.yaml': `${all}protocols: [{ name: SSH, target: web }]\nserver: { wrokers: 2 }\n`,
        'conf.d/a.yaml':
          'protocols:\n  - { name: TLS, target: "${HOST}:1" }\n  - { name: HTTP, target: nowhere }\n',
        'conf.d/b.yaml':
          'upstreams: { web: { endpoints: ["a:1", "a:1"] } }\nroutes: [{ when: { sni: 5 }, to: web }]\n',
      }),
    ).toEqual([
      expect.stringMatching(/^anyport\.yaml:3:11: server\.wrokers: unknown key/),
      expect.stringMatching(/^conf\.d\/a\.yaml:2:18: protocols\[0\]\.target: `\$\{HOST\}` is not set/),
      expect.stringMatching(/^conf\.d\/a\.yaml:3:19: protocols\[1\]\.target: unknown upstream `nowhere`/),
      'conf.d/b.yaml:1:40: upstreams.web.endpoints[1]: endpoint `a:1` is listed twice',
      expect.stringMatching(/^conf\.d\/b\.yaml:2:20: routes\[0\]\.when\.sni: expected/),
    ]));

  test('of the syntax, in all files', () =>
    expect(
      problems({ 'anyport.yaml': all, 'conf.d/a.yaml': 'server: [', 'conf.d/b.yaml': '\n\tx: 1' }).map(
        (line) => line.split(':')[0],
      ),
    ).toEqual(expect.arrayContaining(['conf.d/a.yaml', 'conf.d/b.yaml'])));

  test('what is written twice names both places', () =>
    expect(
      problems({
        'anyport.yaml': `${all}upstreams: { web: { endpoints: ["a:1"] } }\nserver: { workers: 1, listen: [":1"] }`,
        'conf.d/a.yaml': 'server: { workers: 1, listen: [":2"] }\n',
        'conf.d/b.yaml': 'upstreams:\n  web: { endpoints: ["b:1", 5] }\n',
        'conf.d/c.yaml': 'server: { listen: ":3" }\n',
      }),
    ).toEqual([
      'conf.d/a.yaml:1:11: server.workers: is written twice, here and at anyport.yaml:3:11: keep one',
      'conf.d/b.yaml:2:3: upstreams.web: is written twice, here and at anyport.yaml:2:14: keep one',
      'conf.d/c.yaml:1:11: server.listen: is written twice, here and at anyport.yaml:3:23: keep one',
    ]));

  test('names and addresses that meet name both places', () =>
    expect(
      problems({
        'anyport.yaml': `${all}listeners: [{ name: a, address: ":1" }]\nprotocols: [{ name: SSH, target: "a:1" }]`,
        'conf.d/a.yaml':
          'listeners:\n  - { name: a, address: ":1" }\nprotocols:\n  - { name: ssh, target: "a:2" }\n',
      }),
    ).toEqual([
      'conf.d/a.yaml:2:5: listeners[0]: `:1` is taken already, by listeners[0] (anyport.yaml:2:13)',
      'conf.d/a.yaml:2:7: listeners[0].name: listener `a` is listed twice, first by listeners[0] (anyport.yaml:2:13)',
      'conf.d/a.yaml:4:7: protocols[0].name: protocol `ssh` is listed twice, first by protocols[0] (anyport.yaml:3:13)',
    ]));

  test('warnings, too', () => {
    const { warnings, name } = accepted({
      'anyport.yaml': `${all}protocols: [{ name: TLS, target: "a:1" }]\nroutes: [{ when: { protocol: tls }, to: reset }]`,
      'conf.d/a.yaml': 'routes:\n  - { when: { sni: a.example, protocol: tls }, to: close }\n',
    });
    expect(warnings.map((each) => plain(formatWarning(each, name)))).toContain(
      'conf.d/a.yaml:2:5: warning: routes[0]: can never be reached: routes[0] (anyport.yaml:3:10) takes all that it could',
    );
  });
});

describe('what can not be included is said, all of it', () => {
  test.each([
    {
      why: 'a missing file',
      include: 'b.yaml',
      says: /^b\.yaml: can not read it: no such file \(named by include, anyport\.yaml:1:1\)$/,
    },
    {
      why: 'a missing folder',
      include: 'conf.d/*.yaml',
      says: /^anyport\.yaml:1:1: include: can not read `conf\.d`: no such folder$/,
    },
    {
      why: 'a folder',
      include: 'b',
      files: { 'b/c.yaml': '' },
      says: /^b: can not read it: it is a directory/,
    },
    {
      why: 'a folder that a pattern finds',
      include: '"?"',
      files: { 'b/c.yaml': '' },
      says: /^b: can not read it: it is a directory/,
    },
    {
      why: 'a wildcard for folders',
      include: '"*/a.yaml"',
      says: /include: `\*` and `\?` stand for names of files alone/,
    },
    { why: 'itself', include: './anyport.yaml', says: /include: includes itself: name another file$/ },
    {
      why: 'one twice',
      include: '[b.yaml, ./b.yaml]',
      files: { 'b.yaml': '' },
      says: /:19: include\[1\]: `.*b\.yaml` is included already, by include\[0\]$/,
    },
    { why: 'a number', include: '5', says: /include: expected a path or a pattern/ },
    { why: 'a mapping', include: '{ a: b }', says: /include: expected a path or a pattern/ },
    {
      why: 'includes in included files',
      include: 'b.yaml',
      files: { 'b.yaml': 'include: c.yaml' },
      says: /^b\.yaml:1:1: include: an included file includes no others: list them in anyport\.yaml$/,
    },
    {
      why: 'a list',
      include: 'b.yaml',
      files: { 'b.yaml': '[1]' },
      says: /^b\.yaml:1:1: expected a mapping of keys and values, got a list$/,
    },
  ])('$why', ({ include, files = {}, says }) => {
    const found = problems({ 'anyport.yaml': `include: ${include}\n`, ...(files as Files) });
    expect(found).toEqual([expect.stringMatching(says)]);
  });

  test('a link to nothing', () => {
    mkdirSync(join(folder.path, 'conf.d'));
    symlinkSync('nothing', join(folder.path, 'conf.d/a.yaml'));
    expect(problems({ 'anyport.yaml': all })).toEqual([
      expect.stringMatching(/^conf\.d\/a\.yaml: can not read it: no such file/),
    ]);
  });

  test('a pattern finds no file that includes it', () =>
    expect(
      accepted({ 'anyport.yaml': 'include: "*.yaml"\nserver: { workers: 2 }' }).config.server.workers,
    ).toBe(2));

  test('more files than anybody has', () => {
    const files = Array.from({ length: includeLimits.filesMax + 1 }, (_, n) => [`conf.d/${n}.yaml`, '']);
    expect(problems({ 'anyport.yaml': all, ...Object.fromEntries(files) })).toEqual([
      'anyport.yaml:1:1: include: is 1001 files, with those of all patterns: at most 1000',
    ]);
  });

  test('more bytes than anybody writes', () => {
    const large = `# ${'x'.repeat(1024 ** 2 - 3)}\n`;
    const files = Array.from({ length: 100 }, (_, n) => [`conf.d/${String(n).padStart(3, '0')}.yaml`, large]);
    expect(problems({ 'anyport.yaml': all, ...Object.fromEntries(files) })).toEqual([
      'conf.d/008.yaml: is more than 8MiB, with the files before it',
    ]);
  });

  test('in a document', () =>
    expect(loadConfig({ document: { include: 'a.yaml' }, directory: folder.path })).toMatchObject({
      problems: [{ path: 'include', message: 'is for files: give what they say in its place' }],
    }));
});

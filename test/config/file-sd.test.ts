/** `file_sd`: where it may stand, what it becomes, and what is said of files that are wrong now. */
import { describe, expect, test } from 'vitest';
import { filesNamedIn, withAbsoluteModules } from '../../src/config/modules.js';
import { configOf, problemsOf, warningsOf } from './support.js';

const GOOD = { text: '[{"targets": ["10.0.0.7:80"]}]', isShared: true };
const world = { keys: { '/etc/anyport/web.json': GOOD, '/srv/web.json': GOOD } };

const upstream = (rest: string) =>
  `protocols: [{ name: HTTP, target: web }]\nupstreams: { web: { ${rest} } }\n`;

const namesIn = (text: string) =>
  configOf(text, world).upstreams.map(({ endpoints }) => endpoints.map(({ name }) => name));

describe('is accepted', () => {
  test.each([
    ['alone', upstream('file_sd: [web.json]'), [['file:/etc/anyport/web.json']]],
    [
      'beside endpoints, and by an absolute path',
      upstream('endpoints: ["10.0.0.1:80"], file_sd: [/srv/web.json]'),
      [['10.0.0.1:80', 'file:/srv/web.json']],
    ],
    ['twice as once', upstream('file_sd: [web.json, ./web.json]'), [['file:/etc/anyport/web.json']]],
    [
      'in the target of a protocol',
      'protocols: [{ name: HTTP, target: { file_sd: [web.json] } }]',
      [['file:/etc/anyport/web.json']],
    ],
    [
      'in the target of a forward',
      'forwards: [{ listen: ":1", target: { file_sd: [web.json] } }]',
      [['file:/etc/anyport/web.json']],
    ],
  ])('%s', (_, text, names) => {
    expect(namesIn(text)).toEqual(names);
    expect(warningsOf(text, world)).toEqual([]);
  });
});

describe('is refused', () => {
  test.each([
    [upstream('file_sd: []'), 'upstreams.web.file_sd: '],
    [upstream('file_sd: web.json'), 'upstreams.web.file_sd: expected a list: paths, got "web.json"'],
    [upstream('file_sd: [""]'), 'upstreams.web.file_sd[0]: expected a path'],
    [
      upstream('file_sd: [web.json], handler: "builtin:echo"'),
      'upstreams.web: needs either `endpoints`, `file_sd` or `handler`',
    ],
    [
      upstream('file_sd: [web.json], via: "http://10.0.0.9:3128"'),
      'upstreams.web.file_sd: does not go with `via`: list the endpoints, which the proxy looks up',
    ],
    [
      'forwards: [{ listen: "1000-1001", target: { file_sd: [web.json] } }]',
      'forwards[0].target.file_sd: each endpoint of a file is one place for the 2 of `:1000-1001`: to send all of them there, name an upstream that has it',
    ],
  ])('%s', (text, says) => expect(problemsOf(text, world).join('\n')).toContain(says));
});

test('what is wrong with a file now is a warning with its place: it is followed, and may be right tomorrow', () => {
  const files = { keys: { '/etc/anyport/broken.json': { text: '[{"targets": ["web"]}]', isShared: true } } };
  expect(warningsOf(upstream('file_sd: [gone.json, broken.json]'), files)).toEqual([
    'upstreams.web.file_sd[0]: /etc/anyport/gone.json: no such file; until then it adds no endpoints',
    'upstreams.web.file_sd[1]: /etc/anyport/broken.json: [0].targets[0]: expected an address such as `10.0.0.5:80`, got `web` (the port is missing: write `web:PORT`); until then it adds no endpoints',
  ]);
});

test('a document that is handed on names its files by absolute paths', () => {
  const document = { upstreams: { web: { file_sd: ['web.json', '/srv/web.json'] } } };
  expect(withAbsoluteModules(document, '/etc/anyport')).toEqual({
    upstreams: { web: { file_sd: ['/etc/anyport/web.json', '/srv/web.json'] } },
  });
  expect(filesNamedIn(document)).toEqual([['upstreams', 'web', 'file_sd']]);
});

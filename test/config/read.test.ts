// biome-ignore-all lint/suspicious/noTemplateCurlyInString: a configuration file writes references like this
/** YAML with positions, and references to the environment. */
import { describe, expect, test } from 'vitest';
import { readConfig } from '../../src/config/read.js';

const read = (text: string, environment = {}) => readConfig(text, 'a.yaml', environment);

describe('positions', () => {
  const text = `# a comment
server:
  listen: [":1", ":2"]
shared: &web { endpoints: ["a:1"] }
upstreams:
  web: *web
`;
  const cases = [
    { why: 'a key', path: ['server', 'listen'], line: 3, column: 3 },
    { why: 'an item of a list', path: ['server', 'listen', 1], line: 3, column: 18 },
    { why: 'a key that is missing is where its mapping is', path: ['server', 'workers'], line: 2, column: 1 },
    { why: 'a section that is missing', path: ['routes'], line: 2, column: 1 },
    { why: 'behind an alias', path: ['upstreams', 'web', 'endpoints', 0], line: 4, column: 28 },
  ];
  test.each(cases)('$path: $why', ({ path, line, column }) =>
    expect(read(text).source.place(path)).toMatchObject({ file: 'a.yaml', line, column }),
  );

  test('key paths are written as in messages', () =>
    expect(read(text).source.place(['listeners', 0, 'address']).path).toBe('listeners[0].address'));
});

describe('what is not YAML', () => {
  test.each([
    { why: 'an open bracket', text: 'a: [1, 2\nb: 1\n', line: 2 },
    { why: 'a tab as indentation', text: 'a:\n\tb: 1\n', line: 2 },
  ])('$why', ({ text, line }) => {
    const { problems } = read(text);
    expect(problems[0]).toMatchObject({ file: 'a.yaml', line });
    expect(problems[0]?.message).toMatch(/^not valid YAML: /);
  });

  test('an empty file is an empty configuration', () => expect(read('').source.value).toEqual({}));
});

describe('references', () => {
  const environment = { NAME: 'value', COUNT: '4', ODD: 'a: {b}', EMPTY: '' };
  const cases = [
    { why: 'set', text: 'a: ${NAME}', is: 'value' },
    { why: 'inside of text', text: 'a: x-${NAME}:80', is: 'x-value:80' },
    { why: 'twice', text: 'a: ${NAME}${NAME}', is: 'valuevalue' },
    { why: 'a number where it stands unquoted', text: 'a: ${COUNT}', is: 4 },
    { why: 'text where it is quoted', text: 'a: "${COUNT}"', is: '4' },
    { why: 'not set, with a default', text: 'a: ${NONE:-9090}', is: 9090 },
    { why: 'a default with a colon', text: 'a: ${NONE:-host:80}', is: 'host:80' },
    { why: 'an empty default', text: 'a: ${NONE:-}', is: '' },
    { why: 'set to nothing, with a default', text: 'a: ${EMPTY:-x}', is: 'x' },
    { why: 'set to nothing, without a default', text: 'a: ${EMPTY}', is: '' },
    { why: 'a character that is used to hide references', text: 'a: "\ue041-${NAME}"', is: '\ue041-value' },
    { why: 'in a flow mapping, where braces mean something', text: '{ a: ${NAME} }', is: 'value' },
    { why: 'a value can not add keys', text: 'a: ${ODD}', is: 'a: {b}' },
    { why: 'not in a comment', text: 'a: 1 # ${NONE}', is: 1 },
    { why: 'a dollar alone is a dollar', text: "a: '^$NAME{2}'", is: '^$NAME{2}' },
  ];
  test.each(cases)('$text: $why', ({ text, is }) => {
    const { source, problems } = read(text, environment);
    expect(problems).toEqual([]);
    expect(source.value).toEqual({ a: is });
    expect(source.unreadable).toEqual([]);
  });

  test('a name that only every object has is not set', () =>
    expect(read('a: ${toString}').source.unreadable).toHaveLength(1));

  test('not set and without default', () => {
    const { source } = read('a:\n  - b: x${NONE}', environment);
    expect(source.unreadable).toEqual([
      expect.objectContaining({
        path: ['a', 0, 'b'],
        message: expect.stringContaining('`${NONE}` is not set'),
      }),
    ]);
  });

  test('positions after a reference stay true', () =>
    expect(read('a: { b: ${NONE:-x}, c: 1 }').source.place(['a', 'c']).column).toBe(21));
});

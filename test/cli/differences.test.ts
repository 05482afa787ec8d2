/** Differences as an operator reads them. */
import { expect, test } from 'vitest';
import { type Difference, differencesText } from '../../src/cli/differences.js';

const item = (some: Partial<Difference>): Difference => ({
  kind: 'upstream',
  name: 'web',
  upstream: null,
  change: 'changed',
  about: '',
  fields: [],
  ...some,
});

test('a line for each thing, and for each field that changed', () =>
  expect(
    differencesText([
      item({ kind: 'setting', name: 'server.workers', fields: [{ key: 'workers', from: 1, to: 2 }] }),
      item({ kind: 'listener', name: 'back', change: 'added', about: 'unix:/run/b.sock', sessions: 0 }),
      item({
        about: '10.0.0.5:80',
        fields: [
          { key: 'balance', from: 'round_robin', to: 'random_two' },
          { key: 'handler', from: null, to: ['a', 'b'] },
        ],
        sessions: 12,
      }),
      item({ kind: 'endpoint', name: '10.0.0.6:80', upstream: 'web', change: 'removed', sessions: 1 }),
    ]),
  ).toBe(`~  setting   server.workers   1 → 2
+  listener  back             unix:/run/b.sock
~  upstream  web              10.0.0.5:80                          12 live sessions
                                balance: round_robin → random_two
                                handler: none → ["a","b"]
-  endpoint  web 10.0.0.6:80                                       1 live session
1 added, 1 removed, 2 changed
`));

test('none', () => expect(differencesText([])).toBe('no difference\n'));

test('what is long is cut, what commands a terminal is shown', () => {
  const text = differencesText([
    item({ name: 'a\u001b[31m', fields: [{ key: 'handler', from: 'x'.repeat(100), to: '\r' }] }),
  ]);
  expect(text).toContain('a\\x1b[31m');
  expect(text).toContain(`${'x'.repeat(80)}… → \\x0d`);
});

/** What docs/operations.md tells its reader to type works as written. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { routes } from '../../src/admin/handlers/index.js';
import { findRoute } from '../../src/admin/router.js';
import { startControlled } from '../support/control.js';
import { anyport, type Daemon } from '../support/daemon.js';
import { runProgram } from '../support/process.js';
import { describeWith } from '../support/tools.js';

const guide = readFileSync('docs/operations.md', 'utf8');

test('every resource that it names is there', () => {
  const named = [...guide.matchAll(/\b(GET|POST|PUT|PATCH|DELETE) (\/api\/[\w/]+)/g)];
  expect(named.length).toBeGreaterThan(1);
  for (const [, method = '', path = ''] of named)
    expect(findRoute(routes, method, path).kind, `${method} ${path}`).toBe('route');
});

test('every command that it names is there', async () => {
  const names = [...guide.matchAll(/^(?:\| )?`?anyport ([a-z]+)\b/gm)].map(([, name = '']) => name);
  expect(new Set(names).size).toBeGreaterThan(5);
  const { stdout } = await anyport(['--help']);
  for (const name of new Set(names)) expect(stdout).toMatch(new RegExp(`^  ${name}\\b`, 'm'));
});

describeWith('curl')('with a daemon', () => {
  let daemon: Daemon;
  let port: number;

  beforeAll(async () => {
    ({ daemon, port } = await startControlled({ protocols: [{ name: 'HTTP', target: '127.0.0.1:1' }] }));
  });

  afterAll(() => daemon.stop());

  test('a protocol is added, looked at and taken away', async () => {
    const [, commands = ''] = /^# add a protocol .*\n((?:[^#].*\n)+)/m.exec(guide) ?? [];
    expect(commands.match(/curl/g)).toHaveLength(3);
    const script = commands
      .replaceAll('127.0.0.1:9093', `127.0.0.1:${port}`)
      .replaceAll('curl ', 'curl -sS ');
    const { stdout, stderr } = await runProgram('bash', ['-ec', script]);
    expect(stderr).toBe('');
    const answers = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(answers).toMatchObject([
      {
        result: 'applied',
        diff: expect.arrayContaining([
          expect.objectContaining({ kind: 'protocol', name: 'SSH', change: 'added' }),
        ]),
      },
      { name: 'SSH' },
      {
        result: 'applied',
        diff: expect.arrayContaining([
          expect.objectContaining({ kind: 'protocol', name: 'SSH', change: 'removed' }),
        ]),
      },
    ]);
  });
});

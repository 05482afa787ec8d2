import { expect, test } from 'vitest';
import { startCommand, takeHandoverFd } from '../../../src/cli/run/launch.js';

const started = {
  argv: ['/usr/bin/node', '/opt/anyport/dist/cli/main.js', 'run', '-c', 'a.yaml'],
  execPath: '/usr/bin/node',
  execArgv: ['--max-semi-space-size=1'],
};

test('what the launcher was called as is started again, with the same arguments', () => {
  const env = { ANYPORT_LAUNCHER: '/usr/local/bin/anyport' };
  expect(startCommand({ ...started, env })).toEqual(['/usr/local/bin/anyport', 'run', '-c', 'a.yaml']);
});

test('without the launcher Node is, with its options', () => {
  expect(startCommand({ ...started, env: {} })).toEqual([
    '/usr/bin/node',
    '--max-semi-space-size=1',
    '/opt/anyport/dist/cli/main.js',
    'run',
    '-c',
    'a.yaml',
  ]);
});

test.each([
  { value: '3', fd: 3 },
  { value: '4', fd: null },
  { value: '', fd: null },
  { value: undefined, fd: null },
])('descriptor of the hand-over: $value', ({ value, fd }) => {
  const env: NodeJS.ProcessEnv = value === undefined ? {} : { ANYPORT_HANDOVER_FD: value };
  expect(takeHandoverFd(env)).toBe(fd);
  expect(env).toEqual({});
});

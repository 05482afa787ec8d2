import { expect, test } from 'vitest';
import { ACTIVATED_MAX, takeActivatedSockets } from '../../../src/cli/run/activation.js';

const PID = 4711;

test('sockets start at descriptor 3, each with its name', () => {
  const environment = { LISTEN_PID: '4711', LISTEN_FDS: '2', LISTEN_FDNAMES: 'front:monitoring', HOME: '/' };
  expect(takeActivatedSockets(environment, PID)).toEqual([
    { fd: 3, name: 'front' },
    { fd: 4, name: 'monitoring' },
  ]);
  expect(environment).toEqual({ HOME: '/' });
});

test('names may be missing', () => {
  expect(takeActivatedSockets({ LISTEN_PID: '4711', LISTEN_FDS: '1' }, PID)).toEqual([{ fd: 3, name: '' }]);
});

test.each([
  { why: 'for another process', environment: { LISTEN_PID: '4712', LISTEN_FDS: '1' } },
  { why: 'no process', environment: { LISTEN_FDS: '1' } },
  { why: 'no number', environment: { LISTEN_PID: '4711', LISTEN_FDS: 'many' } },
  { why: 'negative', environment: { LISTEN_PID: '4711', LISTEN_FDS: '-1' } },
  { why: 'none', environment: { LISTEN_PID: '4711' } },
])('no sockets: $why', ({ environment }) => {
  const given: NodeJS.ProcessEnv = { ...environment };
  expect(takeActivatedSockets(given, PID)).toEqual([]);
  expect(given).toEqual({});
});

test('their number is bounded', () => {
  expect(takeActivatedSockets({ LISTEN_PID: '4711', LISTEN_FDS: '9999' }, PID)).toHaveLength(ACTIVATED_MAX);
});

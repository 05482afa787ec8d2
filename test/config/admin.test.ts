/** `admin`: whoever reaches the control interface rules, so it is open to nobody by mistake. */
import { expect, test } from 'vitest';
import { configOf, problemsOf } from './support.js';

const http = 'protocols: [{ name: HTTP, target: "10.0.0.1:80" }]\n';

test('absent: none', () => expect(configOf(http).admin).toBeNull());

test('there: on loopback', () =>
  expect(configOf(`${http}admin:`).admin).toMatchObject({ address: { text: '127.0.0.1:9093' }, token: '' }));

test('a unix socket is its owner’s, unless `mode` says otherwise', () => {
  expect(configOf(`${http}admin: { listen: "unix:/run/a.sock" }`).admin?.address).toMatchObject({
    mode: 0o600,
  });
  expect(configOf(`${http}admin: { listen: "unix:/run/a.sock", mode: 0660 }`).admin?.address).toMatchObject({
    mode: 0o660,
  });
});

test.each([
  { text: '{ listen: ":9093" }', path: 'listen', message: 'is open to other machines: set `admin.token`' },
  { text: '{ listen: "192.0.2.1:9093" }', path: 'listen', message: 'is open to other machines' },
  { text: '{ listen: "127.0.0.1:9000-9001" }', path: 'listen', message: 'takes one port' },
  { text: '{ mode: "0600" }', path: 'mode', message: "is for a unix socket's file" },
])('$text is refused', ({ text, path, message }) => {
  const problems = problemsOf(`${http}admin: ${text}`);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain(`: admin.${path}: `);
  expect(problems[0]).toContain(message);
});

test.each(['{ listen: ":9093", token: secret }', '{ listen: "[::1]:9093" }', '{ listen: "127.9.9.9:1" }'])(
  '%s is taken',
  (text) => expect(problemsOf(`${http}admin: ${text}`)).toEqual([]),
);

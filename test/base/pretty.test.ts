import { expect, test } from 'vitest';
import { prettyLines } from '../../src/base/pretty.js';

const session = {
  level: 'info',
  time: '2026-11-25T10:00:00.000Z',
  listener: 'front',
  protocol: 'http',
  facts: { method: 'GET', host: 'localhost' },
  source: '192.0.2.7:50123',
  upstream: 'web',
  endpoint: '10.0.0.1:80',
  bytes_up: 78,
  bytes_down: 3_500_000,
  identify_ms: 0.2,
  connect_ms: 0.4,
  duration_ms: 3.14,
  by: 'client',
  during: 'relay',
  reason: 'done',
  worker: 0,
  msg: 'session',
};

const rows = [
  {
    why: 'one that was served',
    fields: {},
    text: 'INFO: 192.0.2.7:50123 → front: http localhost → web 10.0.0.1:80, 78 B up, 3.3 MiB down, 3.1 ms, done (client, relay)',
  },
  {
    why: 'one that was refused',
    fields: {
      protocol: null,
      facts: {},
      upstream: null,
      endpoint: null,
      bytes_down: 0,
      reason: 'over_limit',
      by: 'proxy',
      during: 'accept',
      error: 'max_connections',
      suppressed: 7,
    },
    text: 'front: unknown, 78 B up, 0 B down, 3.1 ms, over_limit (proxy, accept: max_connections), and 7 more before it',
  },
  {
    why: 'a flow',
    fields: { transport: 'udp', protocol: 'dns' },
    text: 'front: dns over udp localhost → web',
  },
  { why: 'one that is rejected', fields: { reason: 'rejected', route: 'routes[1]' }, text: ', by routes[1]' },
  { why: 'one that lasted', fields: { duration_ms: 61_234 }, text: ', 1 m 1 s, done' },
  {
    why: 'one that commands',
    fields: { facts: { sni: 'a\x1b[2J\x9b\u202e\n' } },
    text: 'http a\\x1b[2J\\x9b\\u202e\\x0a →',
  },
];
test.each(rows)('a session is one line: $why', ({ fields, text }) => {
  const shown = prettyLines(false)(`${JSON.stringify({ ...session, ...fields })}\n`);
  expect(shown).toContain(text);
  expect(shown.match(/\n/g)).toHaveLength(1);
});

test('where it listens comes first', () => {
  const listeners = [
    { name: 'front', address: '127.0.0.1:1', transport: 'tcp' },
    { name: ':2', address: ':2', transport: 'tcp' },
    { name: 'any', address: ':3', transport: 'tcp+udp' },
    { name: ':4', address: ':4', transport: 'udp' },
  ];
  const line = {
    level: 'info',
    time: session.time,
    listeners,
    workers: 2,
    pid: 7,
    version: '1',
    msg: 'ready',
  };
  expect(prettyLines(false)(JSON.stringify(line))).toMatch(
    /: ready on 127\.0\.0\.1:1 \(front\), :2, :3 \(any, tcp\+udp\), :4 \(udp\) \{"workers":2/,
  );
});

test('only a stack takes more lines, which are set in', () => {
  const line = {
    level: 'error',
    time: session.time,
    error: 'E',
    stack: 'E\n    at a\n    at b',
    msg: 'handler failed',
  };
  expect(prettyLines(false)(JSON.stringify(line))).toMatch(
    /handler failed \{"error":"E"\}\n {4}E\n {4}at a\n {4}at b\n$/,
  );
});

test.each([false, true])('no field, message or stack commands the terminal (colours: %s)', (colors) => {
  const hostile = 'a\u001b]0;b\u0007\u009b2J\u007f\u2028\u202ec';
  const line = {
    level: 'error',
    time: session.time,
    error: hostile,
    stack: `E ${hostile}\n  at x`,
    [hostile]: { [hostile]: [hostile] },
    msg: hostile,
  };
  const shown = prettyLines(colors)(JSON.stringify(line));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what colours need is the logger's own
  const plain = colors ? shown.replaceAll(/\u001b\[\d+m/g, '') : shown;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  expect(plain).not.toMatch(/[\0-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e]/);
  expect(plain.split('\n')).toHaveLength(4);
});

test('an error object is a field and a stack, and neither commands the terminal', () => {
  const hostile = 'a\u001b]0;b\u0007\u202ec';
  const err = { type: 'Error', message: hostile, stack: `Error: ${hostile}\n    at x` };
  const shown = prettyLines(false)(
    JSON.stringify({ level: 'error', time: session.time, err, msg: 'failed' }),
  );
  expect(shown).toMatch(/failed .*Error: a\\.*\n {4}Error: a.*\n {4}at x\n$/);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  expect(shown).not.toMatch(/[\0-\x09\x0b-\x1f\u202e]/);
});

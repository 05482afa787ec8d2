/** Who may use the control interface: a table of addresses, tokens and headers. */
import { describe, expect, test } from 'vitest';
import { type AccessRules, refusedAccess } from '../../src/admin/access.js';

const open: AccessRules = { kind: 'inet', token: '' };
const secret: AccessRules = { kind: 'inet', token: 'correct-horse-battery' };

const cases: { why: string; rules: AccessRules; headers: Record<string, string>; status: number | null }[] = [
  { why: 'loopback', rules: open, headers: { host: '127.0.0.1:9093' }, status: null },
  { why: 'another loopback address', rules: open, headers: { host: '127.8.9.1:9093' }, status: null },
  { why: 'IPv6 loopback', rules: open, headers: { host: '[::1]:9093' }, status: null },
  { why: 'localhost', rules: open, headers: { host: 'LocalHost:9093' }, status: null },
  { why: 'localhost without a port', rules: open, headers: { host: 'localhost' }, status: null },
  { why: 'a name that resolves to us', rules: open, headers: { host: 'evil.example:9093' }, status: 403 },
  { why: 'a name like ours', rules: open, headers: { host: 'localhost.evil.example' }, status: 403 },
  {
    why: 'a name that begins like ours',
    rules: open,
    headers: { host: '127.0.0.1.evil.example' },
    status: 403,
  },
  { why: 'an address of another machine', rules: open, headers: { host: '192.0.2.7:9093' }, status: 403 },
  { why: 'user information', rules: open, headers: { host: '127.0.0.1@evil.example' }, status: 403 },
  { why: 'no Host', rules: open, headers: {}, status: 403 },
  { why: 'an empty Host', rules: open, headers: { host: '' }, status: 403 },
  {
    why: 'our own page',
    rules: open,
    headers: { host: '127.0.0.1:9093', origin: 'http://127.0.0.1:9093' },
    status: null,
  },
  {
    why: "a stranger's page",
    rules: open,
    headers: { host: '127.0.0.1:9093', origin: 'http://evil.example' },
    status: 403,
  },
  {
    why: 'a page of another port of this machine',
    rules: open,
    headers: { host: '127.0.0.1:9093', origin: 'http://127.0.0.1:9090' },
    status: 403,
  },
  { why: 'a sandboxed page', rules: open, headers: { host: '127.0.0.1:9093', origin: 'null' }, status: 403 },
  { why: 'no token', rules: secret, headers: { host: '127.0.0.1' }, status: 401 },
  {
    why: 'the token',
    rules: secret,
    headers: { authorization: 'Bearer correct-horse-battery' },
    status: null,
  },
  {
    why: 'the token, from anywhere',
    rules: secret,
    headers: { authorization: 'bearer correct-horse-battery', host: 'proxy.example', origin: 'http://x' },
    status: null,
  },
  {
    why: 'another token',
    rules: secret,
    headers: { authorization: 'Bearer correct-horse-batterz' },
    status: 401,
  },
  { why: 'a part of it', rules: secret, headers: { authorization: 'Bearer correct' }, status: 401 },
  { why: 'an empty one', rules: secret, headers: { authorization: 'Bearer ' }, status: 401 },
  {
    why: 'another scheme',
    rules: secret,
    headers: { authorization: 'Basic correct-horse-battery' },
    status: 401,
  },
  { why: 'a unix socket', rules: { kind: 'unix', token: '' }, headers: {}, status: null },
  { why: 'a unix socket with a token', rules: { kind: 'unix', token: 'abc' }, headers: {}, status: 401 },
];

describe.each(cases)('$why', ({ rules, headers, status }) => {
  test(status === null ? 'may' : `is refused with ${status}`, () => {
    const answer = refusedAccess(rules, headers);
    expect(answer?.status ?? null).toBe(status);
    if (answer?.status === 401)
      expect(answer.headers).toEqual({ 'www-authenticate': 'Bearer realm="anyport"' });
    expect(answer?.body ?? '').not.toContain('correct-horse');
  });
});

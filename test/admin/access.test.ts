/** Who may use the control interface: a table of addresses, tokens and headers. */
import { describe, expect, test } from 'vitest';
import { type AccessRules, refusedAccess } from '../../src/admin/access.js';

const open: AccessRules = { kind: 'inet', token: '', hosts: [] };
const named: AccessRules = { ...open, hosts: ['anyport.example', 'fd00::1'] };
const secret: AccessRules = { kind: 'inet', token: 'correct-horse-battery', hosts: [] };

interface Case {
  why: string;
  rules: AccessRules;
  headers: Record<string, string>;
  /** Default: GET. */
  method?: string;
  status: number | null;
}

const here = { host: '127.0.0.1:9093' };
const fetched = (site: string) => ({ ...here, 'sec-fetch-site': site });

const cases: Case[] = [
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
  { why: 'a unix socket', rules: { ...open, kind: 'unix' }, headers: {}, status: null },
  {
    why: 'a unix socket with a token',
    rules: { kind: 'unix', token: 'abc', hosts: [] },
    headers: {},
    status: 401,
  },
  { why: 'a configured name', rules: named, headers: { host: 'AnyPort.example:9093' }, status: null },
  { why: 'a configured address', rules: named, headers: { host: '[fd00::1]:9093' }, status: null },
  { why: 'a name below a configured one', rules: named, headers: { host: 'x.anyport.example' }, status: 403 },
  {
    why: 'our own page behind a proxy that speaks TLS',
    rules: named,
    headers: { host: 'anyport.example', origin: 'https://anyport.example' },
    status: null,
  },
  {
    why: 'a change by our own page',
    rules: open,
    headers: fetched('same-origin'),
    method: 'POST',
    status: null,
  },
  { why: 'a change by the user', rules: open, headers: fetched('none'), method: 'POST', status: null },
  {
    why: "a change by a stranger's page",
    rules: open,
    headers: fetched('cross-site'),
    method: 'POST',
    status: 403,
  },
  {
    why: 'a change by a page of another port',
    rules: open,
    headers: fetched('same-site'),
    method: 'DELETE',
    status: 403,
  },
  {
    why: 'a change with a value of tomorrow',
    rules: open,
    headers: fetched('new'),
    method: 'PUT',
    status: 403,
  },
  { why: "a link on a stranger's page", rules: open, headers: fetched('cross-site'), status: null },
];

describe.each(cases)('$why', ({ rules, headers, method = 'GET', status }) => {
  test(status === null ? 'may' : `is refused with ${status}`, () => {
    const answer = refusedAccess(rules, headers, method);
    expect(answer?.status ?? null).toBe(status);
    if (answer?.status === 401)
      expect(answer.headers).toEqual({ 'www-authenticate': 'Bearer realm="anyport"' });
    expect(answer?.body ?? '').not.toContain('correct-horse');
  });
});

/** Each condition by itself, with facts present, absent or still missing. */
import { describe, expect, test } from 'vitest';
import type { Facts } from '../../src/model/facts.js';
import type { PlanConditions } from '../../src/model/plan.js';
import type { Answer, RouteSession } from '../../src/routing/condition.js';
import { compileConditions, conditions, createTests } from '../../src/routing/conditions/index.js';

interface Case {
  readonly why: string;
  readonly when: PlanConditions;
  readonly facts?: Facts;
  readonly session?: Partial<RouteSession>;
  readonly expect: Answer;
}

const late = { factsComplete: false };

const cases: Case[] = [
  { why: 'the same protocol', when: { protocol: 2 }, expect: 'yes' },
  { why: 'another protocol', when: { protocol: 1 }, expect: 'no' },
  { why: 'the same listener', when: { listener: 1 }, expect: 'yes' },
  { why: 'another listener', when: { listener: 0 }, expect: 'no' },
  { why: 'the same name', when: { sni: 'a.example' }, facts: { sni: 'a.example' }, expect: 'yes' },
  { why: 'another name', when: { sni: 'a.example' }, facts: { sni: 'b.example' }, expect: 'no' },
  { why: 'no name was sent', when: { sni: 'a.example' }, expect: 'no' },
  { why: 'the name may still come', when: { sni: 'a.example' }, session: late, expect: 'more' },
  {
    why: 'a name that is there settles it before the rest has come',
    when: { sni: 'a.example' },
    facts: { sni: 'b.example' },
    session: late,
    expect: 'no',
  },
  { why: 'below the suffix', when: { sni: '*.b.example' }, facts: { sni: 'a.b.example' }, expect: 'yes' },
  { why: 'far below it', when: { sni: '*.b.example' }, facts: { sni: 'x.a.b.example' }, expect: 'yes' },
  { why: 'the suffix itself', when: { sni: '*.b.example' }, facts: { sni: 'b.example' }, expect: 'no' },
  { why: 'no label boundary', when: { sni: '*.b.example' }, facts: { sni: 'ab.example' }, expect: 'no' },
  { why: 'an empty label', when: { sni: '*.b.example' }, facts: { sni: '.b.example' }, expect: 'no' },
  { why: 'an absolute name', when: { host: 'a.example' }, facts: { host: 'a.example.' }, expect: 'yes' },
  { why: 'an absolute name', when: { host: '*.example' }, facts: { host: 'a.example.' }, expect: 'yes' },
  { why: 'an empty label', when: { sni: '*.b.example' }, facts: { sni: '.b.example.' }, expect: 'no' },
  {
    why: 'a name that is not to be relied on',
    when: { sni: 'a.example' },
    facts: { sni: 'a.example' },
    session: { doubtful: ['sni'] },
    expect: 'refuse',
  },
  {
    why: 'nor is one that is no such name',
    when: { alpn: 'h2' },
    facts: { alpn: ['x'] },
    session: { doubtful: ['alpn'] },
    expect: 'refuse',
  },
  {
    why: 'another fact is to be relied on',
    when: { sni: 'a.example' },
    facts: { sni: 'a.example' },
    session: { doubtful: ['alpn'] },
    expect: 'yes',
  },
  { why: 'HTTP host', when: { host: 'api.example' }, facts: { host: 'www.example' }, expect: 'no' },
  { why: 'a host may still come', when: { host: 'api.example' }, session: late, expect: 'more' },
  { why: 'offered among others', when: { alpn: 'h2' }, facts: { alpn: ['http/1.1', 'h2'] }, expect: 'yes' },
  { why: 'not offered', when: { alpn: 'h2' }, facts: { alpn: ['http/1.1'] }, expect: 'no' },
  { why: 'nothing was offered', when: { alpn: 'h2' }, expect: 'no' },
  { why: 'an offer may still come', when: { alpn: 'h2' }, session: late, expect: 'more' },
  {
    why: 'the name that a PROXY header announces',
    when: { host: 'a.example' },
    facts: { proxy_authority: 'a.example' },
    expect: 'yes',
  },
  {
    why: 'another than it announces',
    when: { sni: 'b.example' },
    facts: { proxy_authority: 'a.example' },
    expect: 'no',
  },
  {
    why: 'the opening may still contradict it',
    when: { host: 'a.example' },
    facts: { proxy_authority: 'a.example' },
    session: late,
    expect: 'more',
  },
  {
    why: 'both hold',
    when: { sni: '*.example' },
    facts: { sni: 'a.example', proxy_authority: 'b.example' },
    expect: 'yes',
  },
  {
    why: 'neither holds',
    when: { sni: 'c.example' },
    facts: { sni: 'a.example', proxy_authority: 'b.example' },
    expect: 'no',
  },
  ...['a.example', 'b.example'].map(
    (name): Case => ({
      why: 'the opening and the header disagree',
      when: { host: name },
      facts: { host: 'a.example', proxy_authority: 'b.example' },
      expect: 'refuse',
    }),
  ),
  { why: 'in a network', when: { source: ['10.0.0.0/8', '192.0.2.0/24'] }, expect: 'yes' },
  { why: 'in none', when: { source: ['10.0.0.0/8'] }, expect: 'no' },
];

test.each(cases)('$when: $why', ({ when, facts = {}, session = {}, expect: expected }) => {
  const [prepared] = createTests(when);
  const known = { facts, factsComplete: true, broken: false, doubtful: [] };
  const asked = { listener: 1, protocol: 2, source: '192.0.2.7', ...known };
  expect(prepared?.test({ ...asked, ...session })).toBe(expected);
});

test('names become indices, patterns lower case', () => {
  const indices = { protocol: () => 4, listener: () => 2 };
  const when = { protocol: 'TLS', listener: 'front', sni: '*.Example.COM', alpn: 'h2' };
  expect(compileConditions(when, indices)).toEqual({
    protocol: 4,
    listener: 2,
    sni: '*.example.com',
    alpn: 'h2',
  });
});

describe('what the file may hold', () => {
  const rows: { why: string; kind: keyof typeof conditions; value: unknown; good: boolean }[] = [
    { why: 'a name', kind: 'sni', value: 'a.example', good: true },
    { why: 'a leading wildcard', kind: 'host', value: '*.example', good: true },
    { why: 'a wildcard elsewhere', kind: 'sni', value: 'a.*.example', good: false },
    { why: 'a wildcard for all', kind: 'sni', value: '*', good: false },
    { why: 'a port is not part of a host', kind: 'host', value: 'a.example:80', good: false },
    { why: 'an empty protocol', kind: 'alpn', value: '', good: false },
    { why: 'networks', kind: 'source', value: ['10.0.0.0/8', '::1'], good: true },
    { why: 'not a network', kind: 'source', value: ['10.0.0.0/40'], good: false },
    { why: 'an empty list matches nobody', kind: 'source', value: [], good: false },
  ];
  test.each(rows)('$kind $value: $why', ({ kind, value, good }) =>
    expect(conditions[kind].options.safeParse(value).success).toBe(good),
  );
});

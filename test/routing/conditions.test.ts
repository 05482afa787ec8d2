/** Each condition by itself, with facts present, absent or still missing. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Facts } from '../../src/model/facts.js';
import type { Conditions } from '../../src/model/plan.js';
import { type Answer, type Place, type RouteSession, UNDECIDED } from '../../src/routing/condition.js';
import {
  compileConditions,
  conditions,
  covers as coversAll,
  createTests,
  excludesAll,
  extentsOf,
  factsAsked,
  placeOf,
} from '../../src/routing/conditions/index.js';
import { explainRoute } from '../../src/routing/explain.js';
import { meetingPlace } from '../../src/routing/place.js';

interface Case {
  readonly why: string;
  readonly when: Conditions;
  readonly facts?: Facts;
  readonly session?: Partial<RouteSession>;
  readonly expect: Answer;
}

const late = { factsComplete: false };

/** 12:00 in UTC, 13:00 in Berlin. */
const WEDNESDAY = Date.UTC(2026, 10, 25, 12);

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
  { why: 'one of several names', when: { sni: ['b', 'a'] }, facts: { sni: 'a' }, expect: 'yes' },
  { why: 'none of several', when: { alpn: ['x', 'y'] }, facts: { alpn: ['h2'] }, expect: 'no' },
  { why: 'one of several protocols', when: { protocol: [1, 2] }, expect: 'yes' },
  { why: 'on none of several listeners', when: { listener: [0, 3] }, expect: 'no' },
  { why: 'that path', when: { path: '/a' }, facts: { path: '/a?b=/c' }, expect: 'yes' },
  { why: 'not below it', when: { path: '/a' }, facts: { path: '/a/' }, expect: 'no' },
  { why: 'letter case', when: { path: '/a' }, facts: { path: '/A' }, expect: 'no' },
  { why: 'below it', when: { path: '/a/*' }, facts: { path: '/a/b/c' }, expect: 'yes' },
  { why: 'the start of a segment', when: { path: '/a/*' }, facts: { path: '/ab' }, expect: 'no' },
  { why: 'the path itself is not below', when: { path: '/a/*' }, facts: { path: '/a' }, expect: 'no' },
  { why: 'every path', when: { path: '/*' }, facts: { path: '/' }, expect: 'yes' },
  { why: 'a path may still come', when: { path: '/a' }, session: late, expect: 'more' },
  { why: 'the absolute form', when: { path: '/a' }, facts: { path: 'http://b:1/a?c' }, expect: 'yes' },
  {
    why: 'the absolute form without path',
    when: { path: '/' },
    facts: { path: 'http://b?c' },
    expect: 'yes',
  },
  { why: 'OPTIONS *', when: { path: '/*' }, facts: { path: '*' }, expect: 'no' },
  {
    why: 'CONNECT has none',
    when: { path: '/*' },
    facts: { method: 'CONNECT', path: 'a.example:443' },
    expect: 'no',
  },
  ...[
    ...[
      '/x/../a',
      '/x/%2e%2E/a',
      '/./a',
      '//a',
      '/x/..;/a',
      '/%252e/a',
      '/a%00',
      '/a#b',
      '/a b',
      'a',
      'http:/a',
    ],
    ...['/%c0%ae%c0%ae/a', '/%u0061', '/x\\..\\a', 'http://b\\a', '/a/..', '/a%0d'],
  ].map(
    (path): Case => ({
      why: `endpoints differ about ${path}, whatever the rule`,
      when: { path: '/other' },
      facts: { path },
      expect: 'refuse',
    }),
  ),
  ...['/%61', '/a;b', '/%61;b?c'].map(
    (path): Case => ({
      why: `${path} is that path for some endpoints`,
      when: { path: ['/x', '/a'] },
      facts: { path },
      expect: 'refuse',
    }),
  ),
  { why: 'encoded, and another either way', when: { path: '/a' }, facts: { path: '/b%20c' }, expect: 'no' },
  {
    why: 'encoded behind what counts',
    when: { path: '/a/*' },
    facts: { path: '/a/%40b%2fc' },
    expect: 'yes',
  },
  { why: 'an encoded slash', when: { path: '/a/*' }, facts: { path: '/a%2fc' }, expect: 'refuse' },
  { why: 'a backslash', when: { path: '/a/*' }, facts: { path: '/a\\c' }, expect: 'refuse' },
  { why: 'that method', when: { method: ['PUT', 'GET'] }, facts: { method: 'GET' }, expect: 'yes' },
  { why: 'a method in other letters', when: { method: 'GET' }, facts: { method: 'get' }, expect: 'no' },
  { why: 'that user', when: { user: 'al' }, facts: { user: 'al' }, expect: 'yes' },
  { why: 'letter case', when: { user: 'al' }, facts: { user: 'Al' }, expect: 'no' },
  { why: 'a dot more', when: { user: 'al' }, facts: { user: 'al.' }, expect: 'no' },
  { why: 'a dot like it', when: { user: 'al.' }, facts: { user: 'al.' }, expect: 'yes' },
  { why: 'a name behind TLS', when: { user: 'al' }, session: { doubtful: ['user'] }, expect: 'refuse' },
  { why: 'that database', when: { database: ['a', 'b'] }, facts: { database: 'b' }, expect: 'yes' },
  { why: 'no database', when: { database: 'b' }, expect: 'no' },
  { why: 'that client', when: { client_id: 's1' }, facts: { client_id: 's1' }, expect: 'yes' },
  { why: 'a client may still come', when: { client_id: 's1' }, session: late, expect: 'more' },
  { why: 'within', when: { time: 'wed 12:00-12:01 UTC' }, expect: 'yes' },
  { why: 'the end is not within', when: { time: 'mon-sun 08:00-12:00 UTC' }, expect: 'no' },
  { why: 'elsewhere it is later', when: { time: 'mon-sun 08:00-13:00 Europe/Berlin' }, expect: 'no' },
  { why: 'another day', when: { time: 'thu 00:00-24:00 UTC' }, expect: 'no' },
  { why: 'since the day before', when: { time: 'tue 13:00-12:01 UTC' }, expect: 'yes' },
  { why: 'one of several', when: { time: ['thu 00:00-24:00 UTC', 'wed 11:00-13:00 UTC'] }, expect: 'yes' },
  { why: 'what is excluded', when: { not: { source: '192.0.2.0/24' } }, expect: 'no' },
  { why: 'what is not', when: { not: { source: '10.0.0.0/8' } }, expect: 'yes' },
  {
    why: 'not all of it',
    when: { not: { source: '192.0.2.0/24', sni: 'a' } },
    facts: { sni: 'b' },
    expect: 'yes',
  },
  { why: 'all of it', when: { not: { protocol: 2, sni: 'a' } }, facts: { sni: 'a' }, expect: 'no' },
  { why: 'one of two sets', when: { not: [{ sni: 'a' }, { protocol: 2 }] }, expect: 'no' },
  { why: 'none of two sets', when: { not: [{ sni: 'a' }, { protocol: 1 }] }, expect: 'yes' },
  { why: 'it may still come', when: { not: { sni: 'a' } }, session: late, expect: 'more' },
  { why: 'out before it comes', when: { not: { sni: 'a', protocol: 1 } }, session: late, expect: 'yes' },
  { why: 'nobody can say', when: { not: { sni: 'a' } }, session: { broken: true }, expect: 'refuse' },
  { why: 'no byte yet', when: { not: { protocol: 2 } }, session: { protocol: UNDECIDED }, expect: 'more' },
  { why: 'in a network', when: { source: ['10.0.0.0/8', '192.0.2.0/24'] }, expect: 'yes' },
  { why: 'in none', when: { source: ['10.0.0.0/8'] }, expect: 'no' },
];

test.each(cases)('$when: $why', ({ when, facts = {}, session = {}, expect: expected }) => {
  const tests = createTests(when);
  const known = { facts, factsComplete: true, broken: false, doubtful: [] };
  const asked = { listener: 1, protocol: 2, source: '192.0.2.7', nowMs: WEDNESDAY, ...known };
  expect(explainRoute(tests, { ...asked, ...session }, [1, 2]).answer).toBe(expected);
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
    { why: 'the longest name', kind: 'sni', value: `${'abcdefg.'.repeat(31)}abcde`, good: true },
    { why: 'a longer one', kind: 'sni', value: `${'abcdefg.'.repeat(31)}abcdef`, good: false },
    { why: 'the longest label', kind: 'host', value: `*.${'a'.repeat(63)}.example`, good: true },
    { why: 'a longer one between dots', kind: 'host', value: `a.${'a'.repeat(64)}`, good: false },
    { why: 'a port is not part of a host', kind: 'host', value: 'a.example:80', good: false },
    { why: 'an empty protocol', kind: 'alpn', value: '', good: false },
    { why: 'networks', kind: 'source', value: ['10.0.0.0/8', '::1'], good: true },
    { why: 'not a network', kind: 'source', value: ['10.0.0.0/40'], good: false },
    { why: 'an empty list matches nobody', kind: 'source', value: [], good: false },
    { why: 'an empty list', kind: 'sni', value: [], good: false },
    { why: 'names', kind: 'sni', value: ['a', '*.b', 'a'], good: true },
    { why: 'one wrong name', kind: 'host', value: ['a', '*'], good: false },
    { why: 'a list in a list', kind: 'alpn', value: [['h2']], good: false },
    { why: 'protocols', kind: 'protocol', value: ['http', 'tls'], good: true },
    { why: 'one network', kind: 'source', value: '10.0.0.0/8', good: true },
    { why: 'too many', kind: 'sni', value: Array(10_001).fill('a'), good: false },
    { why: 'the root', kind: 'path', value: '/', good: true },
    { why: 'everything', kind: 'path', value: '/*', good: true },
    { why: 'a method of gRPC, and a folder', kind: 'path', value: ['/a.B/C', '/a.B/*', '/b/'], good: true },
    { why: 'a method', kind: 'method', value: ['GET', 'M-SEARCH'], good: true },
    { why: 'no capitals', kind: 'method', value: 'get', good: false },
    { why: 'a number that YAML has read', kind: 'user', value: 1234, good: false },
    { why: 'nobody', kind: 'user', value: '', good: false },
    { why: 'as long as a fact', kind: 'client_id', value: 'é'.repeat(256), good: true },
    { why: 'longer', kind: 'client_id', value: 'é'.repeat(257), good: false },
    { why: 'a whole week', kind: 'time', value: { days: 'mon-sun', zone: 'Europe/Berlin' }, good: true },
    { why: 'always', kind: 'time', value: {}, good: false },
    { why: 'always, somewhere', kind: 'time', value: { zone: 'Europe/Berlin' }, good: false },
    { why: 'days in any order', kind: 'time', value: { days: ['Sat', 'mon-wed'] }, good: true },
    { why: 'over midnight', kind: 'time', value: { from: '22:00', to: '6:00' }, good: true },
    { why: 'of no length', kind: 'time', value: { from: '22:00', to: '22:00' }, good: false },
    { why: 'of no length by default', kind: 'time', value: { to: '00:00' }, good: false },
    { why: 'no such day', kind: 'time', value: { days: 'montag' }, good: false },
    { why: 'no day', kind: 'time', value: { days: [] }, good: false },
    { why: 'no such time', kind: 'time', value: { from: '8:60' }, good: false },
    { why: 'beyond the day', kind: 'time', value: { from: '24:00' }, good: false },
    { why: 'up to its end', kind: 'time', value: { from: '08:00', to: '24:00' }, good: true },
    { why: 'an offset is no zone', kind: 'time', value: { zone: '+01:00' }, good: false },
    { why: 'no such zone', kind: 'time', value: { zone: 'Europe/Berlinn' }, good: false },
    { why: 'another key', kind: 'time', value: { day: 'mon' }, good: false },
    { why: 'text', kind: 'time', value: 'mon-fri', good: false },
    { why: 'several', kind: 'time', value: [{ days: 'mon' }, { days: 'tue', from: '08:00' }], good: true },
    ...['', 'a', '/a*', '/*/a', '/a/../b', '/.', '//', '/a%20', '/a;b', '/a?b', '/a b', '/ä'].map(
      (value) => ({
        why: 'no path that all endpoints read alike',
        kind: 'path' as const,
        value,
        good: false,
      }),
    ),
  ];
  test.each(rows)('$kind $value: $why', ({ kind, value, good }) =>
    expect(conditions[kind].options(z).safeParse(value).success).toBe(good),
  );
});

describe('places', () => {
  const rows: { when: Conditions; place: object }[] = [
    { when: {}, place: {} },
    { when: { sni: 'a.example', source: ['10.0.0.0/8'] }, place: {} },
    { when: { listener: 1, sni: 'a.example' }, place: { listeners: [1] } },
    { when: { protocol: 0, listener: 1 }, place: { listeners: [1], protocols: [0] } },
  ];
  test.each(rows)('$when', ({ when, place }) => expect(placeOf(when)).toEqual(place));

  const meetings: { why: string; places: Place[]; meeting: Place }[] = [
    { why: 'of none: everywhere', places: [], meeting: {} },
    {
      why: 'two conditions on listeners',
      places: [{ listeners: [1, 2] }, { listeners: [2, 3] }],
      meeting: { listeners: [2] },
    },
    {
      why: 'that have no listener in common',
      places: [{ listeners: [1] }, { listeners: [2] }],
      meeting: { listeners: [] },
    },
    {
      why: 'of different kinds',
      places: [{ listeners: [1] }, {}, { protocols: [2] }],
      meeting: { listeners: [1], protocols: [2] },
    },
  ];
  test.each(meetings)('$why', ({ places, meeting }) => expect(meetingPlace(places)).toEqual(meeting));
});

describe('one covers another', () => {
  const rows: { why: string; wide: Conditions; narrow: Conditions; covers: boolean }[] = [
    { why: 'no condition', wide: {}, narrow: { sni: 'a.example' }, covers: true },
    { why: 'the same', wide: { alpn: 'h2' }, narrow: { alpn: 'h2' }, covers: true },
    { why: 'another', wide: { alpn: 'h2' }, narrow: { alpn: 'x' }, covers: false },
    { why: 'one that is not asked for', wide: { alpn: 'h2' }, narrow: { sni: 'a.example' }, covers: false },
    { why: 'more conditions', wide: { alpn: 'h2' }, narrow: { alpn: 'h2', sni: 'a.example' }, covers: true },
    {
      why: 'fewer conditions',
      wide: { alpn: 'h2', sni: 'a.example' },
      narrow: { alpn: 'h2' },
      covers: false,
    },
    { why: 'letter case', wide: { host: 'A.example' }, narrow: { host: 'a.Example' }, covers: true },
    { why: 'a name below', wide: { sni: '*.example' }, narrow: { sni: 'a.b.EXAMPLE' }, covers: true },
    { why: 'a short name below', wide: { sni: '*.example' }, narrow: { sni: 'a.example' }, covers: true },
    { why: 'names below', wide: { sni: '*.example' }, narrow: { sni: '*.a.example' }, covers: true },
    { why: 'names above', wide: { sni: '*.a.example' }, narrow: { sni: '*.example' }, covers: false },
    { why: 'the suffix itself', wide: { sni: '*.example' }, narrow: { sni: 'example' }, covers: false },
    { why: 'all names below one', wide: { sni: 'example' }, narrow: { sni: '*.example' }, covers: false },
    { why: 'a network', wide: { source: ['10.0.0.0/8'] }, narrow: { source: ['10.1.0.0/16'] }, covers: true },
    { why: 'each of some', wide: { sni: ['*.a', 'b'] }, narrow: { sni: ['b', 'x.a'] }, covers: true },
    { why: 'not each', wide: { sni: ['*.a', 'b'] }, narrow: { sni: ['b', 'c'] }, covers: false },
    { why: 'one of some', wide: { protocol: ['a', 'b'] }, narrow: { protocol: 'b' }, covers: true },
    {
      why: 'a path below',
      wide: { path: '/a/*' },
      narrow: { path: ['/a/b', '/a/*', '/a/b/*'] },
      covers: true,
    },
    { why: 'the path itself', wide: { path: '/a/*' }, narrow: { path: '/a' }, covers: false },
    {
      why: 'a longer day',
      wide: { time: 'mon-sun 08:00-20:00 UTC' },
      narrow: { time: 'tue 09:00-20:00 UTC' },
      covers: true,
    },
    {
      why: 'a later end',
      wide: { time: 'mon-sun 08:00-20:00 UTC' },
      narrow: { time: 'tue 09:00-20:01 UTC' },
      covers: false,
    },
    {
      why: 'another zone',
      wide: { time: 'mon-sun 00:00-24:00 UTC' },
      narrow: { time: 'tue 09:00-10:00 Asia/Tokyo' },
      covers: false,
    },
    { why: 'less excluded', wide: { not: { sni: 'a.b' } }, narrow: { not: { sni: '*.b' } }, covers: true },
    { why: 'more excluded', wide: { not: { sni: '*.b' } }, narrow: { not: { sni: 'a.b' } }, covers: false },
    { why: 'something excluded', wide: { not: { sni: 'a' } }, narrow: {}, covers: false },
    { why: 'nothing excluded', wide: { sni: 'a' }, narrow: { sni: 'a', not: { alpn: 'h2' } }, covers: true },
    {
      why: 'one of several networks',
      wide: { source: ['10.0.0.0/8'] },
      narrow: { source: ['10.0.0.1', '::1'] },
      covers: false,
    },
    {
      why: 'each in another one',
      wide: { source: ['::/0', '10.0.0.0/8'] },
      narrow: { source: ['10.0.0.1', '::1'] },
      covers: true,
    },
  ];
  test.each(rows)('$why: $wide, $narrow', ({ wide, narrow, covers }) =>
    expect(coversAll(extentsOf(wide), extentsOf(narrow))).toBe(covers),
  );
});

test.each([
  { why: 'the same', when: { sni: 'a', not: { sni: 'a' } }, all: true },
  { why: 'more', when: { sni: 'x.a', not: [{ alpn: 'h2' }, { sni: '*.a' }] }, all: true },
  { why: 'less', when: { sni: '*.a', not: { sni: 'x.a' } }, all: false },
  { why: 'something else', when: { sni: 'a', not: { alpn: 'h2' } }, all: false },
])('what is excluded leaves nothing: $why', ({ when, all }) =>
  expect(excludesAll(extentsOf(when))).toBe(all),
);

test('what clients have to say, whatever names of the configuration stand beside it', () =>
  expect(
    factsAsked({ protocol: 'tls', listener: 'front', sni: 'A.example', source: ['::1'], alpn: 'h2' }),
  ).toMatchObject([
    { condition: 'sni', key: { fact: 'sni', names: [{ name: 'a.example' }] } },
    { condition: 'alpn', key: { fact: 'alpn' } },
  ]));

describe('a list holds where any of its values does', () => {
  const names = ['a', 'b', 'c', 'x.a', 'x.b', '*.a', '*.b', 'd', 'e', 'f', 'g', 'h'];
  const paths = ['/a', '/b', '/a/*', '/b/*', '/a/b', '/', '/a/b/*', '/c', '/d', '/e', '/f'];
  const networks = [
    '10.0.0.0/8',
    '10.0.0.1',
    '::1',
    '10.1.0.0/16',
    '::/0',
    ...names.map((_, i) => `192.0.2.${i}`),
  ];
  const times = [
    ...['mon-fri 08:00-18:00 UTC', 'sat,sun 00:00-24:00 UTC', 'wed 22:00-06:00 UTC'],
    ...['sun 12:00-12:00 Asia/Tokyo', 'mon-sun 00:00-00:01 UTC'],
  ];
  const values = {
    ...{ sni: names, host: names, alpn: names, path: paths, source: networks },
    ...{ user: names, database: names, client_id: names, method: names, time: times },
  };
  const oneOf = (list: readonly string[]) => fc.constantFrom(...list);
  const sent = fc.constantFrom(...paths, '/a/', '/%61', '/a;x', '/a%2fb', '/a/../b', '*', '/b/c?/a', '/x');
  const session = fc.record({
    listener: fc.constant(0),
    protocol: fc.constant(0),
    source: fc.constantFrom('', '10.0.0.1', '10.1.2.3', '::1', '192.0.2.3', '198.51.100.1'),
    nowMs: fc.constantFrom(...Array.from({ length: 28 }, (_, i) => WEDNESDAY + i * 6 * 3_600_000)),
    facts: fc.record(
      {
        sni: oneOf(names),
        host: oneOf(names),
        alpn: fc.array(oneOf(names)),
        path: sent,
        proxy_authority: oneOf(names),
        user: oneOf(names),
        database: oneOf(names),
        client_id: oneOf(names),
        method: oneOf(names),
      },
      { requiredKeys: [] },
    ),
    factsComplete: fc.boolean(),
    broken: fc.boolean(),
    doubtful: fc.subarray(['sni', 'host', 'alpn', 'path', 'user', 'client_id']),
  });
  const orderOf: readonly Answer[] = ['no', 'refuse', 'more', 'yes'];

  test.each(Object.entries(values))('%s', (name, all) =>
    fc.assert(
      fc.property(fc.array(oneOf(all), { minLength: 1, maxLength: 20 }), session, (list, asked) => {
        const answerOf = (value: unknown) => createTests({ [name]: value })[0]?.test(asked) ?? 'no';
        const strongest = Math.max(...list.map((value) => orderOf.indexOf(answerOf(value))));
        expect(answerOf(list)).toBe(orderOf[strongest]);
      }),
      { numRuns: 2000 },
    ),
  );
});

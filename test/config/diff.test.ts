/** What a difference says: each pair of configurations in the file's words, and the sentences a user would read. */
import { describe, expect, test } from 'vitest';
import { durationOptions } from '../../src/config/diff/forms.js';
import { diffConfigs, unchangeable } from '../../src/config/diff/index.js';
import { jsonSchema } from '../../src/config/schema/index.js';
import type { DiffItem } from '../../src/model/diff.js';
import { configOf } from './support.js';

/** `changed upstream web (about): key from → to` */
const sentence = ({ change, kind, name, upstream, about, fields }: DiffItem): string => {
  const changes = fields.map(({ key, from, to }) => `${key} ${JSON.stringify(from)} → ${JSON.stringify(to)}`);
  const whole = upstream === null ? name : `${upstream}/${name}`;
  return `${change} ${kind} ${whole}${about && ` (${about})`}${changes.length > 0 ? `: ${changes.join(', ')}` : ''}`;
};

const sentences = (before: string, after: string): string[] =>
  diffConfigs(configOf(before), configOf(after)).map(sentence);

const base = `
listeners: [{ name: front, address: ":443" }]
protocols: [{ name: TLS, target: web }, { name: SSH, target: "10.0.0.9:22" }]
upstreams: { web: { endpoints: ["10.0.0.5:80", "10.0.0.6:80"] }, api: { endpoints: ["10.0.1.5:80"] } }
`;

interface Case {
  readonly why: string;
  /** Text of the base → text of the later one. */
  readonly edits: readonly (readonly [string, string])[];
  readonly expect: readonly string[];
}

const cases: Case[] = [
  { why: 'the same', edits: [], expect: [] },
  {
    why: 'settings, in the form of the file',
    edits: [
      [
        '\nlisteners',
        '\nserver: { dial_timeout: 3s, buffer_size: 64KiB }\nlogging: { level: debug }\nlisteners',
      ],
    ],
    expect: [
      'changed setting server.buffer_size: buffer_size "32KiB" → "64KiB"',
      'changed setting server.dial_timeout: dial_timeout "5s" → "3s"',
      'changed setting logging.level: level "info" → "debug"',
    ],
  },
  {
    why: 'a section of `security` that is enabled has all of its keys, and one that is not has none',
    edits: [
      [
        '\nlisteners',
        '\nsecurity: { enable_ddos_guard: true, ddos_guard: { ban: 90s, failures: 0 } }\nlisteners',
      ],
    ],
    expect: [
      'changed setting security.enable_ddos_guard: enable_ddos_guard false → true',
      'changed setting security.ddos_guard.window: ddos_guard.window null → "10s"',
      'changed setting security.ddos_guard.threshold: ddos_guard.threshold null → 2000',
      'changed setting security.ddos_guard.failures: ddos_guard.failures null → 0',
      'changed setting security.ddos_guard.ban: ddos_guard.ban null → "90s"',
      'changed setting security.ddos_guard.ban_max: ddos_guard.ban_max null → "1h"',
      'changed setting security.ddos_guard.identifying_per_ip: ddos_guard.identifying_per_ip null → 256',
    ],
  },
  {
    why: 'a secret is never shown',
    edits: [['\nlisteners', '\nadmin: { token: hunter2 }\nlisteners']],
    expect: [
      'changed setting admin.listen: listen null → "127.0.0.1:9093"',
      'changed setting admin.token: token null → "(a secret)"',
    ],
  },
  {
    why: 'a listener that moves, and one that comes',
    edits: [
      [
        'address: ":443" }',
        'address: ":8443", on_unknown: api }, { name: back, address: "unix:/run/b.sock" }',
      ],
    ],
    expect: [
      'changed listener front (:8443): address ":443" → ":8443", on_unknown "close" → "api"',
      'added listener back (unix:/run/b.sock)',
    ],
  },
  {
    why: 'a protocol that comes is no change of the listeners that accept all',
    edits: [['{ name: TLS', '{ name: HTTP, target: api }, { name: TLS']],
    expect: ['added protocol HTTP (→ api)'],
  },
  {
    why: 'a protocol that overtakes another',
    edits: [['{ name: SSH,', '{ name: SSH, priority: 1,']],
    expect: [expect.stringMatching(/^changed protocol SSH: priority null → 1/) as unknown as string],
  },
  {
    why: 'an upstream that goes is one item, one that stays says which endpoints',
    edits: [
      [', api: { endpoints: ["10.0.1.5:80"] }', ''],
      [
        '["10.0.0.5:80", "10.0.0.6:80"]',
        '[{ address: "10.0.0.6:80", weight: 3 }, "10.0.0.7:80"], tcp: { keepalive: 10s }',
      ],
    ],
    expect: [
      'changed upstream web (10.0.0.6:80, 10.0.0.7:80): tcp.keepalive "30s" → "10s"',
      'changed endpoint web/10.0.0.6:80 (weight 3): weight 1 → 3',
      'added endpoint web/10.0.0.7:80',
      'removed endpoint web/10.0.0.5:80',
      'removed upstream api (10.0.1.5:80)',
    ],
  },
];

test.each(cases)('$why', ({ edits, expect: expected }) => {
  const after = edits.reduce((text, [from, to]) => text.replace(from, to), base);
  expect(after === base).toBe(edits.length === 0);
  expect(sentences(base, after)).toEqual(expected);
});

describe('routes', () => {
  const of = (...names: string[]): string =>
    `${base}routes:\n${names
      .map((each) => each.split('>'))
      .map(([name = '', to = 'web']) => `  - { when: { sni: "${name}.example" }, to: ${to} }`)
      .join('\n')}\n`;
  const many = Array.from({ length: 1000 }, (_, n) => `h${n}`);

  test('an insertion in the middle of a thousand is one addition', () =>
    expect(sentences(of(...many), of(...many.toSpliced(500, 0, 'new')))).toEqual([
      'added route routes[500] (sni new.example → web)',
    ]));

  test('a removal is one, and names the place it had', () =>
    expect(sentences(of(...many), of(...many.toSpliced(7, 1)))).toEqual([
      'removed route routes[7] (sni h7.example → web)',
    ]));

  test('one that overtakes others has moved, they have not', () =>
    expect(sentences(of('a', 'b', 'c', 'd'), of('d', 'a', 'b', 'c'))).toEqual([
      'changed route routes[0] (sni d.example → web): order 4 → 1',
    ]));

  test('the same conditions with another target', () =>
    expect(sentences(of('a', 'b', 'c'), of('new', 'a', 'b>api', 'c'))).toEqual([
      'added route routes[0] (sni new.example → web)',
      'changed route routes[2] (sni b.example → api): to "web" → "api"',
    ]));

  test('other conditions at the same place', () =>
    expect(sentences(of('a', 'b', 'c'), of('a', 'x', 'c'))).toEqual([
      'changed route routes[1] (sni x.example → web): when.sni "b.example" → "x.example"',
    ]));

  test('a route that stands twice', () =>
    expect(sentences(of('a', 'b', 'a'), of('a', 'a'))).toEqual([
      'removed route routes[1] (sni b.example → web)',
    ]));

  test('all reversed: one keeps its place', () => {
    const reversed = sentences(of(...many), of(...many.toReversed()));
    expect(reversed).toHaveLength(999);
    expect(new Set(reversed.map((text) => text.split(' ')[0]))).toEqual(new Set(['changed']));
  });
});

describe('what can not change while running', () => {
  test('is named with both values', () =>
    expect(
      unchangeable(configOf(base), configOf(`server: { buffer_size: 64KiB, workers: 9 }\n${base}`)),
    ).toEqual([
      {
        file: null,
        line: null,
        column: null,
        path: 'server.buffer_size',
        message: expect.stringMatching(
          /^can not change while running .*it is 32KiB, wanted is 64KiB; restart/,
        ),
      },
    ]));

  test('the user, which takes a restart and not an upgrade', () => {
    const as = (user: string) => configOf(`server: { user: ${user} }\n${base}`);
    const problems = unchangeable(as('anyport'), as('""'));
    expect(problems.map(({ path, message }) => `${path}: ${message}`)).toEqual([
      'server.user: can not change while running (rights that are given up do not come back): it is anyport, wanted is nobody; restart anyport',
    ]);
    expect(unchangeable(as('anyport'), as('anyport'))).toEqual([]);
    expect(unchangeable(configOf(base), as('anyport'))).toHaveLength(1);
  });

  test('nothing of it: no problem', () => expect(unchangeable(configOf(base), configOf(base))).toEqual([]));
});

test('durations among the options of upstreams are shown as durations', () => {
  const { properties } = jsonSchema() as { properties: { upstreams: { additionalProperties: Node } } };
  interface Node {
    readonly properties?: Readonly<Record<string, Node>>;
    readonly 'x-values'?: string;
  }
  const durations = (node: Node, path: readonly string[]): string[] =>
    Object.entries(node.properties ?? {}).flatMap(([key, inner]) => [
      ...(inner['x-values']?.startsWith('duration') ? [[...path, key].join('.')] : []),
      ...durations(inner, [...path, key]),
    ]);
  const [web] = configOf(base).upstreams;
  const all = durations(properties.upstreams.additionalProperties, []);
  const read = all.filter((path) => Object.hasOwn(web?.options ?? {}, path.split('.')[0] ?? ''));
  expect(new Set(read)).toEqual(new Set(durationOptions));
});

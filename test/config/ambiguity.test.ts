/** Protocols that conflict are reported when the file is read, with an example. */
import { describe, expect, test } from 'vitest';
import { findAmbiguities } from '../../src/config/ambiguity.js';
import { protocols as builtIns } from '../../src/protocols/index.js';
import { configOf, warningsOf } from './support.js';

interface Case {
  readonly why: string;
  /** Items of `protocols`. */
  readonly protocols: readonly string[];
  readonly listeners?: string;
  /** Expected parts of each sentence, in order. */
  readonly says: readonly string[];
}

const cases: Case[] = [
  {
    why: 'two patterns that share openings, neither of which covers the other',
    protocols: ['name: A, regex: ["^a[bc]"]', 'name: B, regex: ["^[ab]c"]'],
    says: ['protocols `A` and `B` rank alike and both match 61 63 "ac"; `A` wins because it comes first'],
  },
  {
    why: 'a better priority settles that',
    protocols: ['name: A, regex: ["^a[bc]"]', 'name: B, priority: 1, regex: ["^[ab]c"]'],
    says: [],
  },
  {
    why: 'patterns that part',
    protocols: [
      'name: A, regex: ["^ab"]',
      'name: B, regex: ["^ac"]',
      'name: C, start_bytes: ["00"], offset: 1',
    ],
    says: [],
  },
  {
    why: 'one that a better one covers',
    protocols: ['name: A, start_bytes: ["aa"]', 'name: B, start_bytes: ["aa55"]'],
    says: [
      'protocol `B` can never win: `A` ranks before it and matches all that it matches, such as aa 55 ".U"',
    ],
  },
  {
    why: 'the other way round it is an exception',
    protocols: ['name: B, priority: 1, start_bytes: ["aa55"]', 'name: A, start_bytes: ["aa"]'],
    says: [],
  },
  {
    why: 'the same twice',
    protocols: ['name: A, start_bytes: ["aa55"]', "name: B, regex: ['^\\xaa\\x55']"],
    says: ['protocol `B` can never win'],
  },
  {
    why: 'a built-in that is covered, arithmetic or not',
    protocols: [
      'name: Mine, start_bytes: ["5353"]',
      'name: SSH',
      "name: Any, priority: 1, regex: ['^[^]{9}']",
      'name: DNS',
    ],
    says: [
      'protocol `SSH` can never win: `Mine` ranks before it',
      'protocol `DNS` can never win: `Any` ranks before it',
    ],
  },
  {
    why: 'a validator may leave some to the other',
    protocols: ['name: A, start_bytes: ["aa"], validator: v.js', 'name: B, start_bytes: ["aa55"]'],
    says: [],
  },
  {
    why: 'what must come in time may not come',
    protocols: [
      'name: A, priority: 1, start_bytes: ["aa"], contains: ["ff"]',
      'name: B, start_bytes: ["aa55"]',
    ],
    says: [],
  },
  {
    why: 'a limit leaves what is longer to the other',
    protocols: ["name: A, priority: 1, regex: ['^a*b'], max_bytes: 4", "name: B, regex: ['^a*bc']"],
    says: [],
  },
  {
    why: 'they never meet',
    protocols: ['name: A, start_bytes: ["aa"]', 'name: B, start_bytes: ["aa55"]'],
    listeners: '[{ name: a, address: ":1", protocols: [A] }, { name: b, address: ":2", protocols: [B] }]',
    says: [],
  },
];

describe('ambiguity', () => {
  test.each(cases)('$why', ({ protocols, listeners = '[{ name: l, address: ":1" }]', says }) => {
    const items = protocols.map((item) => `  - { target: "a:1", ${item} }`).join('\n');
    const found = warningsOf(`protocols:\n${items}\nlisteners: ${listeners}`, {
      files: ['/etc/anyport/v.js'],
    });
    expect(found).toEqual(says.map((text) => expect.stringContaining(text)));
  });

  const all = configOf(
    `protocols:\n${builtIns
      .filter(({ transports }) => transports.includes('tcp'))
      .map(({ id }) => `  - { name: ${id}, target: "a:1" }`)
      .join('\n')}`,
  );

  test('the built-ins are not in each other’s way', () => expect(findAmbiguities(all)).toEqual([]));
});

/** Warnings of options that act on another one, which is not there. */
import { expect, test } from 'vitest';
import { warningsOf } from './support.js';

const web = (keys: string) =>
  `protocols: [{ name: HTTP, target: web }]\nupstreams: { web: { endpoints: ["10.0.0.5:80"], ${keys} } }`;
const unhashed =
  'upstreams.web.hash_key: has no effect without `balance: source_hash` or `balance: consistent_hash`';

const cases = [
  { why: 'a key, and turns that look at none', keys: 'balance: random_two, hash_key: sni', says: [unhashed] },
  { why: 'likewise by default', keys: 'hash_key: source', says: [unhashed] },
  { why: 'a key that is hashed', keys: 'balance: consistent_hash, hash_key: sni', says: [] },
  { why: 'hashes without a key', keys: 'balance: source_hash', says: [] },
  {
    why: 'an ejection resets nothing',
    keys: 'on_down: reset, passive_health: { max_fails: 3 }',
    says: ['upstreams.web.on_down: has no effect without `health_check`'],
  },
  { why: 'a check does', keys: 'on_down: reset, health_check: { type: tcp }', says: [] },
  { why: 'it asks for nothing', keys: 'on_down: keep', says: [] },
];
test.each(cases)('$why', ({ keys, says }) => expect(warningsOf(web(keys))).toEqual(says));

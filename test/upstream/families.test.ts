import { describe, expect, test } from 'vitest';
import { interleaved } from '../../src/upstream/families.js';

const cases = [
  { why: 'none', given: [], order: [] },
  { why: 'one family keeps its order', given: ['10.0.0.2', '10.0.0.1'], order: ['10.0.0.2', '10.0.0.1'] },
  {
    why: 'the family of the first one begins',
    given: ['::1', '::2', '10.0.0.1', '10.0.0.2'],
    order: ['::1', '10.0.0.1', '::2', '10.0.0.2'],
  },
  {
    why: 'what is left of the longer one follows',
    given: ['10.0.0.1', '::1', '10.0.0.2', '10.0.0.3'],
    order: ['10.0.0.1', '::1', '10.0.0.2', '10.0.0.3'],
  },
  {
    why: 'also when it is the other one',
    given: ['10.0.0.1', '::1', '::2', '::3'],
    order: ['10.0.0.1', '::1', '::2', '::3'],
  },
];

describe('addresses of both families', () => {
  test.each(cases)('$why', ({ given, order }) => {
    const addresses = given.map((host) => ({ host, port: 1 }));
    expect(interleaved(addresses)).toEqual(order.map((host) => ({ host, port: 1 })));
  });
  test('a Unix socket is one address', () =>
    expect(interleaved([{ path: '/run/a' }])).toEqual([{ path: '/run/a' }]));
});

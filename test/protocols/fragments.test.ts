/** Handshakes in fragments, put together. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assembled, type Fragment } from '../../src/protocols/fragments.js';

const text = (offset: number, data: string): Fragment => ({ offset, data: Buffer.from(data) });

describe('fragments', () => {
  test.each([
    { why: 'none', fragments: [], due: '' },
    { why: 'in order', fragments: [text(0, 'ab'), text(2, 'cd')], due: 'abcd' },
    { why: 'not in order', fragments: [text(2, 'cd'), text(0, 'ab')], due: 'abcd' },
    { why: 'twice', fragments: [text(0, 'ab'), text(0, 'ab')], due: 'ab' },
    { why: 'one within another', fragments: [text(0, 'abcd'), text(1, 'bc')], due: 'abcd' },
    { why: 'that overlap', fragments: [text(0, 'abc'), text(2, 'cd')], due: 'abcd' },
    { why: 'with a gap', fragments: [text(0, 'ab'), text(3, 'd')], due: 'ab' },
    { why: 'without a beginning', fragments: [text(1, 'b')], due: '' },
    { why: 'an empty one', fragments: [text(0, ''), text(0, 'a')], due: 'a' },
  ])('$why', ({ fragments, due }) => expect(assembled(fragments)?.toString()).toBe(due));

  test.each([
    { why: 'of the same bytes', fragments: [text(0, 'ab'), text(0, 'ax')] },
    { why: 'where they overlap', fragments: [text(0, 'abc'), text(2, 'xd')] },
  ])('that differ: $why', ({ fragments }) => expect(assembled(fragments)).toBeNull());
});

test('whichever way a message is cut, and whatever comes again, it is the message', () => {
  const anyCut = fc.tuple(fc.nat(40), fc.nat(40)).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 40, maxLength: 40 }), fc.array(anyCut), (message, cuts) => {
      const fragments = cuts.map(([from, to]) => ({
        offset: from,
        data: Buffer.from(message.subarray(from, to)),
      }));
      const have = assembled(fragments);
      expect(have).toEqual(Buffer.from(message.subarray(0, have?.length)));
      const rest = { offset: 0, data: Buffer.from(message) };
      expect(assembled([...fragments, rest])).toEqual(rest.data);
    }),
  );
});

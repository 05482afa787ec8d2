/** Signatures: what is accepted, at which byte; what is refused, and how it is said. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Signature } from '../../../src/model/protocol.js';
import { compileClassifier } from '../../../src/protocols/compile.js';
import { checkSignature } from '../../../src/protocols/dfa/signature.js';
import { hex, text } from '../../cases/case.js';
import { engines, feedings } from '../engines.js';

interface SignatureCase {
  readonly why: string;
  readonly signature: Signature;
  readonly bytes: Uint8Array;
  /** The byte at which it matches, at which it is out, or neither. */
  readonly expect: { readonly match: number } | { readonly no: number } | 'more';
}

const accepted: readonly SignatureCase[] = [
  { why: 'start bytes', signature: { startBytes: ['aa55'] }, bytes: hex('aa55ff'), expect: { match: 2 } },
  { why: 'either start', signature: { startBytes: ['aa55', 'AB'] }, bytes: hex('ab'), expect: { match: 1 } },
  { why: 'other start', signature: { startBytes: ['aa55'] }, bytes: hex('aa56'), expect: { no: 2 } },
  { why: 'half a start', signature: { startBytes: ['aa55'] }, bytes: hex('aa'), expect: 'more' },
  {
    why: 'an offset',
    signature: { startBytes: ['01'], offset: 2 },
    bytes: hex('ffff01'),
    expect: { match: 3 },
  },
  { why: 'not there', signature: { startBytes: ['01'], offset: 2 }, bytes: hex('010100'), expect: { no: 3 } },
  {
    why: 'either case',
    signature: { patterns: ['^(?i)helo 1'] },
    bytes: text('hElO 1'),
    expect: { match: 6 },
  },
  {
    why: 'either case, before ^',
    signature: { patterns: ['(?i)^a|^b'] },
    bytes: text('B'),
    expect: { match: 1 },
  },
  {
    why: 'either case in a class',
    signature: { patterns: ['^(?i)[a-f]'] },
    bytes: text('F'),
    expect: { match: 1 },
  },
  {
    why: 'either case out of a class',
    signature: { patterns: ['^(?i)[^a]'] },
    bytes: text('A'),
    expect: { no: 1 },
  },
  { why: 'a sign has one case', signature: { patterns: ['^(?i)@'] }, bytes: text('`'), expect: { no: 1 } },
  { why: 'any pattern', signature: { patterns: ['^ab', '^cd'] }, bytes: text('cd'), expect: { match: 2 } },
  {
    why: 'a byte above ASCII',
    signature: { patterns: ['^\\xAA\\x55'] },
    bytes: hex('aa55'),
    expect: { match: 2 },
  },
  { why: '. is not LF', signature: { patterns: ['^a.b'] }, bytes: text('a\nb'), expect: { no: 2 } },
  { why: '. is CR', signature: { patterns: ['^a.b'] }, bytes: text('a\rb'), expect: { match: 3 } },
  { why: '[^] is any byte', signature: { patterns: ['^a[^]b'] }, bytes: text('a\nb'), expect: { match: 3 } },
  { why: '\\s is ASCII', signature: { patterns: ['^\\s'] }, bytes: hex('a0'), expect: { no: 1 } },
  { why: '\\W is the rest', signature: { patterns: ['^\\W'] }, bytes: hex('a0'), expect: { match: 1 } },
  { why: 'a class', signature: { patterns: ['^[^a-c\\d]'] }, bytes: text('b'), expect: { no: 1 } },
  {
    why: 'the shortest way in',
    signature: { patterns: ['^a+b?'] },
    bytes: text('aab'),
    expect: { match: 1 },
  },
  {
    why: 'both, the pattern later',
    signature: { startBytes: ['61'], patterns: ['^.bc'] },
    bytes: text('abc'),
    expect: { match: 3 },
  },
  {
    why: 'both, the start bytes later',
    signature: { startBytes: ['64'], offset: 3, patterns: ['^a'] },
    bytes: text('abcd'),
    expect: { match: 4 },
  },
  {
    why: 'both, one of them out',
    signature: { startBytes: ['62'], patterns: ['^.bc'] },
    bytes: text('abc'),
    expect: { no: 1 },
  },
  { why: 'minBytes waits', signature: { patterns: ['^a'], minBytes: 4 }, bytes: text('abc'), expect: 'more' },
  {
    why: 'minBytes',
    signature: { patterns: ['^a'], minBytes: 4 },
    bytes: text('abcde'),
    expect: { match: 4 },
  },
  {
    why: 'no is said early',
    signature: { patterns: ['^a'], minBytes: 4 },
    bytes: text('b'),
    expect: { no: 1 },
  },
  {
    why: 'up to maxBytes',
    signature: { patterns: ['^a*b'], maxBytes: 3 },
    bytes: text('aab'),
    expect: { match: 3 },
  },
  {
    why: 'past maxBytes',
    signature: { patterns: ['^a*b'], maxBytes: 3 },
    bytes: text('aaab'),
    expect: { no: 3 },
  },
  {
    why: 'a match stands, whatever follows',
    signature: { patterns: ['^a'], maxBytes: 3 },
    bytes: text('abcdefgh'),
    expect: { match: 1 },
  },
];

const anywhere: readonly SignatureCase[] = [
  { why: 'at the front', signature: { contains: ['6162'] }, bytes: text('abc'), expect: { match: 2 } },
  { why: 'later', signature: { contains: ['6162'] }, bytes: text('aaab'), expect: { match: 4 } },
  {
    why: 'the first of two',
    signature: { contains: ['7878', '61'] },
    bytes: text('xaxx'),
    expect: { match: 2 },
  },
  { why: 'not yet', signature: { contains: ['6162'] }, bytes: text('xxa'), expect: 'more' },
  {
    why: 'just within the limit',
    signature: { contains: ['61'], containsWithin: 3 },
    bytes: text('xxa'),
    expect: { match: 3 },
  },
  {
    why: 'past the limit',
    signature: { contains: ['6162'], containsWithin: 3 },
    bytes: text('xxab'),
    expect: { no: 3 },
  },
  {
    why: 'past the default limit',
    signature: { contains: ['61'] },
    bytes: text(`${'x'.repeat(1024)}a`),
    expect: { no: 1024 },
  },
  {
    why: 'after the opening',
    signature: { patterns: ['^x+y'], contains: ['61'] },
    bytes: text('xyba'),
    expect: { match: 4 },
  },
  {
    why: 'before the end of the opening',
    signature: { patterns: ['^xa*y'], contains: ['61'] },
    bytes: text('xaay'),
    expect: { match: 4 },
  },
  {
    why: 'the limit counts from the first byte',
    signature: { patterns: ['^x*y'], contains: ['61'], containsWithin: 2 },
    bytes: text('xxxya'),
    expect: { no: 4 },
  },
  {
    why: 'the opening is out first',
    signature: { patterns: ['^xy'], contains: ['61'] },
    bytes: text('xza'),
    expect: { no: 2 },
  },
];

const arithmetic: readonly SignatureCase[] = [
  {
    why: 'a sum',
    signature: { patterns: ['^x'], checks: ['u8(1) == 5'] },
    bytes: hex('7805'),
    expect: { match: 2 },
  },
  {
    why: 'no sum',
    signature: { patterns: ['^x'], checks: ['u8(1) == 5'] },
    bytes: hex('7806'),
    expect: { no: 2 },
  },
  {
    why: 'a field that is not there yet',
    signature: { patterns: ['^x'], checks: ['u32be(1) > 0'] },
    bytes: hex('78000000'),
    expect: 'more',
  },
  {
    why: 'the pattern settles it later',
    signature: { patterns: ['^x..'], checks: ['u8(1) < u8(2)'] },
    bytes: hex('780102ff'),
    expect: { match: 3 },
  },
  {
    why: 'the pattern must hold first',
    signature: { patterns: ['^x...'], checks: ['u8(1) == 0'] },
    bytes: hex('7801'),
    expect: 'more',
  },
  {
    why: 'the nearest of two that fail',
    signature: { patterns: ['^x'], checks: ['u8(4) == 1', 'u8(2) == 1'] },
    bytes: hex('7800000000'),
    expect: { no: 3 },
  },
  {
    why: 'minBytes after it',
    signature: { patterns: ['^x'], checks: ['u8(1) == 1'], minBytes: 4 },
    bytes: hex('78010000'),
    expect: { match: 4 },
  },
  {
    why: 'every width and order',
    signature: {
      patterns: ['^x'],
      checks: [
        'u16be(1) == 0x0102',
        'u16le(1) == 0x0201',
        'u24be(1) == 0x010203',
        'u32be(1) == 0x01020304',
        'u32le(1) == 0x04030201',
      ],
    },
    bytes: hex('7801020304'),
    expect: { match: 5 },
  },
  {
    why: 'all 32 bits',
    signature: { patterns: ['^x'], checks: ['u32le(1) >= u32be(1)'] },
    bytes: hex('780000ffff'),
    expect: { match: 5 },
  },
  {
    why: 'factors, either side, either sign',
    signature: { patterns: ['^x'], checks: ['-1 + 4 * u8(1) - u8(2) * 2 <= u8(3) + 1'] },
    bytes: hex('78 03 02 06'),
    expect: { match: 4 },
  },
  {
    why: 'the total is not known while bytes may come',
    signature: { patterns: ['^x'], checks: ['total == 2'] },
    bytes: hex('7800'),
    expect: 'more',
  },
];

test.each(Object.entries(engines))('%s: the total is known at the end', (_, create) => {
  const signature = { patterns: ['^x'], checks: ['total - 2 == u8(1)', 'u8(1) != 3'] };
  const classify = create(compileClassifier([{ id: 'x', signature }], 1));
  const verdictOf = (bytes: Uint8Array) => classify(bytes, { ended: true }).verdict;
  expect(verdictOf(hex('7801ff'))).toBe('match');
  expect(verdictOf(hex('7801'))).toBe('unknown');
  expect(verdictOf(hex('7803ffffff'))).toBe('unknown');
});

describe.each(Object.entries(engines))('%s', (_, create) => {
  test.each([...accepted, ...anywhere, ...arithmetic])('$why', ({ signature, bytes, expect: due }) => {
    const classify = create(compileClassifier([{ id: 'x', signature }], 1));
    for (const feeding of feedings(bytes)) expect(classify(bytes, feeding)).toEqual(decision(due, bytes));
  });
});

function decision(due: SignatureCase['expect'], bytes: Uint8Array) {
  if (due === 'more') return { verdict: 'more', protocol: -1, decidedAt: bytes.length };
  if ('no' in due) return { verdict: 'unknown', protocol: -1, decidedAt: due.no };
  return { verdict: 'match', protocol: 0, decidedAt: due.match };
}

const refused: readonly { why: string; signature: Signature; message: RegExp }[] = [
  { why: 'nothing', signature: {}, message: /needs start bytes, a pattern, or bytes/ },
  {
    why: 'odd hex to contain',
    signature: { contains: ['a'] },
    message: /contains "a": expected pairs of hex/,
  },
  {
    why: 'more than fits to contain',
    signature: { contains: ['616263'], containsWithin: 2 },
    message: /it needs 3 bytes/,
  },
  { why: 'odd hex', signature: { startBytes: ['aa5'] }, message: /"aa5": expected pairs of hex digits/ },
  { why: 'no ^', signature: { patterns: ['abc'] }, message: /"abc": every alternative must begin with \^/ },
  {
    why: 'one without ^',
    signature: { patterns: ['^a|b'] },
    message: /every alternative must begin with \^/,
  },
  { why: '$', signature: { patterns: ['^a$'] }, message: /\$ and a second \^ are not supported: "\$"/ },
  { why: 'a second ^', signature: { patterns: ['^a^b'] }, message: /second \^ are not supported/ },
  {
    why: 'look-ahead',
    signature: { patterns: ['^(?=a)b'] },
    message: /look-around.* not supported: "\(\?=a\)"/,
  },
  { why: 'look-behind', signature: { patterns: ['^a(?<!b)'] }, message: /look-around/ },
  { why: 'a word boundary', signature: { patterns: ['^a\\b'] }, message: /word boundaries/ },
  {
    why: 'a back-reference',
    signature: { patterns: ['^(a)\\1'] },
    message: /back-references are not supported: "\\1"/,
  },
  { why: 'modifiers', signature: { patterns: ['^(?i:a)'] }, message: /modifiers are not supported/ },
  {
    why: 'an escape of another dialect',
    signature: { patterns: ['^\\p{L}'] },
    message: /such escapes .*"\\p"/,
  },
  {
    why: 'a POSIX class',
    signature: { patterns: ['^[[:alpha:]]'] },
    message: /POSIX classes are not supported/,
  },
  { why: 'no byte', signature: { patterns: ['^\\u0100'] }, message: /"\\u0100" is above \\xff/ },
  { why: 'a range of no bytes', signature: { patterns: ['^[a-\\u0100]'] }, message: /above \\xff/ },
  { why: 'bad syntax', signature: { patterns: ['^(a'] }, message: /"\^\(a": .*Unterminated group/ },
  { why: 'a long pattern', signature: { patterns: [`^${'a'.repeat(5000)}`] }, message: /longer than 4096/ },
  { why: 'deep nesting', signature: { patterns: [`^${'(?:'.repeat(1000)}`] }, message: /Unterminated group/ },
  { why: 'every session', signature: { patterns: ['^a*'] }, message: /matches before the first byte/ },
  {
    why: 'a contradiction',
    signature: { startBytes: ['62'], patterns: ['^a'] },
    message: /can never match: no bytes satisfy all of it/,
  },
  { why: 'an empty class', signature: { patterns: ['^[]'] }, message: /can never match/ },
  {
    why: 'too short a limit',
    signature: { patterns: ['^abc'], maxBytes: 2 },
    message: /it needs 3 bytes, and max_bytes is 2/,
  },
  {
    why: 'min over max',
    signature: { patterns: ['^a'], minBytes: 9, maxBytes: 8 },
    message: /needs 9 bytes/,
  },
  { why: 'too many states', signature: { patterns: ['^[^]*a[^]{20}b'] }, message: /more than 20000 states/ },
  {
    why: 'too much work',
    signature: { patterns: ['^(?:[ab]{1,60}c?){1,60}d'] },
    message: /more than 20000 states/,
  },
  {
    why: 'nothing, very often',
    signature: { patterns: ['^(?:(?:){0,1000000000}){1000000000}a'] },
    message: /more than 20000 states/,
  },
  { why: 'too many repeats', signature: { patterns: ['^a{100000}'] }, message: /more than 20000 states/ },
];

const badChecks: readonly { text: string; message: RegExp }[] = [
  { text: 'u8(0)', message: /expected one of == != < <= > >= between two sums/ },
  { text: 'u8(0) == 1 == 2', message: /expected one of/ },
  { text: '1 == 1', message: /names no field/ },
  { text: 'u9(0) == 1', message: /"u9\(0\)" is not a number nor one of u8\(OFFSET\)/ },
  { text: 'u8 == 1', message: /"u8" is not a number nor one of/ },
  { text: 'total(1) == 1', message: /"total\(1\)" is not a number nor one of/ },
  { text: 'u8(-1) == 1', message: /is not a number nor one of/ },
  { text: 'u8(0) * u8(1) == 1', message: /"u8\(1\)" is not a number/ },
  { text: '2 * 2 * u8(0) == 1', message: /a sum of fields times numbers is expected/ },
  { text: 'u8(0) == ', message: /"" is not a number nor one of/ },
  { text: 'u8(70000) == 1', message: /70000 is too large: at most 65535/ },
  { text: '70000 * u8(0) == 1', message: /70000 is too large: at most 65536/ },
  { text: 'u32be(0) == 0x80000000', message: /2147483648 is too large/ },
  { text: `${'u8(0) + '.repeat(16)}u8(0) == 1`, message: /more than 16 fields/ },
];

test.each(badChecks)('refuses the check $text', ({ text: check, message }) => {
  expect(checkSignature({ patterns: ['^a'], checks: [check] })).toEqual([expect.stringMatching(message)]);
});

test('a check beyond maxBytes can never hold', () => {
  const signature = { patterns: ['^a'], checks: ['u16be(3) == 1'], maxBytes: 4 };
  expect(checkSignature(signature)).toEqual([expect.stringMatching(/it needs 5 bytes, and max_bytes is 4/)]);
});

test.each(refused)('refuses $why', ({ signature, message }) => {
  expect(checkSignature(signature)).toEqual([expect.stringMatching(message)]);
});

test('names every problem at once', () => {
  expect(checkSignature({ startBytes: ['x'], patterns: ['a', '^b$'] })).toHaveLength(3);
});

/** Small regular expressions over a, b and c. */
const { pattern: anyPattern } = fc.letrec<{ pattern: string }>((tie) => ({
  pattern: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom('a', 'b', 'c', '.', '[ab]', '[^a]'),
    fc.tuple(tie('pattern'), tie('pattern')).map(([a, b]) => a + b),
    fc.tuple(tie('pattern'), tie('pattern')).map(([a, b]) => `(?:${a}|${b})`),
    fc.tuple(tie('pattern'), fc.constantFrom('*', '+', '?', '{2}', '{1,3}')).map(([a, q]) => `(?:${a})${q}`),
  ),
}));

test('matches at the byte where a backtracking engine first finds a match', () => {
  const anyText = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '\n'), maxLength: 10 });
  fc.assert(
    fc.property(anyPattern, anyText, (pattern, opening) => {
      const whole = new RegExp(`^(?:${pattern})$`);
      fc.pre(!whole.test(''));
      const lengths = Array.from({ length: opening.length }, (_, i) => i + 1);
      const first = lengths.find((length) => whole.test(opening.slice(0, length))) ?? null;
      const tables = compileClassifier([{ id: 'x', signature: { patterns: [`^${pattern}`] } }], 1);
      for (const create of Object.values(engines)) {
        const { verdict, decidedAt } = create(tables)(text(opening));
        expect(verdict === 'match' ? decidedAt : null).toBe(first);
      }
    }),
    { numRuns: 500 },
  );
});

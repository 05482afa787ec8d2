import { describe, expect, test } from 'vitest';
import { native } from '../../src/addon.js';
import { roomWords } from '../../src/metrics/room.js';
import { closings, enders, reasons, stages } from '../../src/model/session.js';
import { Answers, answerKinds, answerWords } from '../../src/worker/answers.js';
import { causes, EventCursor, eventKinds, eventNumbers, eventWords } from '../../src/worker/rings.js';
import { rowNumbers, rowWords } from '../../src/worker/rows.js';

describe('the numbering on both sides of the border', () => {
  test.each([
    ['stages', stages],
    ['enders', enders],
    ['reasons', reasons],
    ['closings', closings],
    ['causes', causes],
    ['events', eventKinds],
    ['answers', answerKinds],
  ] as const)('%s', (name, names) => {
    expect(native.codes[name]).toEqual(names);
  });
});

test.each([
  ['event', eventWords],
  ['eventNumber', eventNumbers],
  ['answer', answerWords],
  ['row', rowWords],
  ['rowNumber', rowNumbers],
  ['room', roomWords],
] as const)('offsets are the same on both sides of the border: %s', (name, offsets) => {
  expect(native.layout[name]).toEqual(offsets);
});

describe('source addresses', () => {
  const cases = [
    { why: 'IPv4', family: 4, bytes: [192, 0, 2, 7], text: '192.0.2.7' },
    { why: 'a Unix socket has none', family: 0, bytes: [], text: '' },
    { why: 'loopback', family: 6, bytes: [...Array(15).fill(0), 1], text: '::1' },
    { why: 'all zeros', family: 6, bytes: Array(16).fill(0), text: '::' },
    {
      why: 'the longest run is folded',
      family: 6,
      bytes: [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7],
      text: '2001:db8:0:1::7',
    },
    {
      why: 'a single zero group is not',
      family: 6,
      bytes: [0x20, 1, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1],
      text: '2001:0:1:1:1:1:1:1',
    },
    {
      why: 'a run at the end',
      family: 6,
      bytes: [0xfe, 0x80, ...Array(14).fill(0)],
      text: 'fe80::',
    },
  ];
  test.each(cases)('$text: $why', ({ family, bytes, text }) => {
    const events = new EventCursor(native.layout);
    new Uint32Array(events.memory)[native.layout.eventWords + eventWords.sourceFamily] = family;
    new Uint8Array(events.memory).set(bytes, (native.layout.eventWords + eventWords.source) * 4);
    events.moveTo(1);
    expect(events.sourceAddress()).toBe(text);
  });
});

describe('an answer with bytes', () => {
  const aim = { patient: false, endpoint: 7, endpointRow: 8, upstream: 9 };
  const id = { slot: 1, generation: 2 };
  const create = () => {
    const answers = new Answers(native.layout, () => {});
    const words = new Uint32Array(answers.memory);
    const area = new Uint8Array(
      answers.memory,
      (1 + native.layout.answerWords * native.layout.answersMax) * 4,
    );
    return { answers, words, area };
  };

  test('has those for the endpoint, then those for the client, then the addresses', () => {
    const { answers, words, area } = create();
    answers.dial(id, 3, {
      ...aim,
      preamble: { bytes: Buffer.from('PROXY'), expected: 4 },
      taken: 5,
      greeting: Buffer.from('hi'),
      addresses: [
        { host: '192.0.2.1', port: 0x01bb },
        { host: '2001:db8::7', port: 80 },
      ],
    });
    const word = (name: keyof typeof answerWords) => words[1 + answerWords[name]];
    expect(word('count')).toBe(0);
    expect([word('taken'), word('sendLength'), word('greetingLength'), word('addressCount')]).toEqual([
      5, 5, 2, 2,
    ]);
    const zeros = (count: number) => Array<number>(count).fill(0);
    expect([...area.subarray(word('sendOffset'), 47)]).toEqual([
      ...Buffer.from('PROXYhi'),
      ...[192, 0, 2, 1, ...zeros(12), 0xbb, 0x01, 4, 0],
      ...[0x20, 0x01, 0x0d, 0xb8, ...zeros(11), 7, 80, 0, 6, 0],
    ]);
    answers.reply(id, 3, Buffer.from('!'), 1);
    expect(words[1 + native.layout.answerWords + answerWords.sendOffset]).toBe(47);
  });

  test('that has too many of them is not written', () => {
    const { answers, words } = create();
    const long = Buffer.alloc(native.layout.sendBytesMax + 1);
    const range = { ...aim, preamble: null, first: 0, count: 1 };
    expect(() => answers.dial(id, 3, { ...range, greeting: long })).toThrow('too many bytes');
    expect(() => answers.dial(id, 3, { ...range, preamble: { bytes: long, expected: 0 } })).toThrow();
    expect(() => answers.refuse(id, 3, long, 'proxy', 'route', 'denied')).toThrow('too many bytes');
    expect(() => answers.reply(id, 3, Buffer.alloc(1), 1, 0)).toThrow('takes no bytes');
    const addresses = Array.from({ length: 17 }, () => ({ host: '192.0.2.1', port: 1 }));
    expect(() => answers.dial(id, 3, { ...aim, preamble: null, addresses })).toThrow('too many addresses');
    expect(words[0]).toBe(0);
  });

  test('leaves nothing of it to the next one at its place', () => {
    const { answers, words } = create();
    answers.dial(id, 3, {
      ...aim,
      preamble: null,
      taken: 5,
      greeting: Buffer.from('x'),
      addresses: [{ host: '::1', port: 1 }],
    });
    words[0] = 0;
    answers.dial(id, 3, { ...aim, preamble: null, first: 4, count: 2 });
    const { first, count, sendLength, taken, greetingLength, addressCount } = answerWords;
    const written = [first, count, sendLength, taken, greetingLength, addressCount].map(
      (word) => words[1 + word],
    );
    expect(written).toEqual([4, 2, 0, 0, 0, 0]);
  });
});

test('a full answer ring is handed over before the next answer is written', () => {
  let flushes = 0;
  const answers = new Answers(native.layout, () => {
    flushes += 1;
    new Uint32Array(answers.memory)[0] = 0;
  });
  for (let slot = 0; slot <= native.layout.answersMax; slot += 1)
    answers.wait({ slot, generation: 9 }, 3, 4, 5);
  const words = new Uint32Array(answers.memory);
  expect(flushes).toBe(1);
  expect([...words.subarray(0, 7)]).toEqual([1, 1, native.layout.answersMax, 9, 3, 4, 5]);
});

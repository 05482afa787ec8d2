import { describe, expect, test } from 'vitest';
import { native } from '../../src/addon.js';
import { roomWords } from '../../src/metrics/room.js';
import { closings, enders, reasons, stages } from '../../src/model/session.js';
import {
  Answers,
  answerKinds,
  answerWords,
  causes,
  EventCursor,
  eventKinds,
  eventNumbers,
  eventWords,
} from '../../src/worker/rings.js';
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

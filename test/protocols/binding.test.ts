/** What the addon's Classifier refuses at the border. */
import { describe, expect, test } from 'vitest';
import { type Classifier, native } from '../../src/addon.js';
import { compileClassifier } from '../../src/protocols/compile.js';
import { protocols } from '../../src/protocols/index.js';

const tables = compileClassifier(protocols, protocols.length);
const [first] = tables.automata;
const [dfa] = first?.dfas ?? [];

/** The border is called as JavaScript would: with anything. */
const build = (value: unknown): Classifier =>
  new (native.Classifier as new (value: unknown) => Classifier)(value);

describe('the constructor', () => {
  const cases = [
    { why: 'nothing', value: undefined, message: 'tables: an object is expected' },
    { why: 'no automata', value: {}, message: 'automata: an array is expected' },
    { why: 'no count', value: { automata: [] }, message: 'routable: a number is expected' },
    { why: 'no object', value: { automata: [1], routable: 0 }, message: 'automata: objects are expected' },
    {
      why: 'another array',
      value: { automata: [{ ...first, dfas: [{ ...dfa, classes: new Uint16Array(256) }] }], routable: 0 },
      message: 'classes: a Uint8Array is expected',
    },
    {
      why: 'checks of another kind',
      value: { automata: [{ ...first, checks: [1, 2, 3] }], routable: 0 },
      message: 'checks: an Int32Array is expected',
    },
    {
      why: 'no DFA',
      value: { automata: [{ ...first, dfas: [] }], routable: 0 },
      message: 'automata[0].dfas: one or two',
    },
    {
      why: 'more routed than there are',
      value: { automata: [], routable: 1 },
      message: 'routable: at most 0, got 1',
    },
    {
      why: 'a state that does not exist',
      value: {
        automata: [first, { ...first, dfas: [{ ...dfa, transitions: dfa?.transitions.map(() => 999) }] }],
        routable: 0,
      },
      message: 'automata[1].dfas[0].transitions: a state that does not exist',
    },
  ];

  test.each(cases)('refuses $why', ({ value, message }) => {
    expect(() => build(value)).toThrow(message);
  });
});

describe('a recognizer', () => {
  const cases = [
    { why: 'nothing', value: undefined, message: 'automata: objects are expected' },
    { why: 'no DFA', value: { ...first, dfas: [] }, message: 'dfas: one or two' },
    {
      why: 'a state that does not exist',
      value: { ...first, dfas: [{ ...dfa, transitions: dfa?.transitions.map(() => 999) }] },
      message: 'dfas[0].transitions: a state that does not exist',
    },
  ];

  test.each(cases)('refuses $why', ({ value, message }) => {
    const construct = () => Reflect.construct(native.Recognizer, [value]);
    expect(construct).toThrow(message);
  });
});

describe('identify', () => {
  const classifier = build(tables);
  const cases = [
    { why: 'no bytes', args: [], message: 'bytes: a Uint8Array is expected' },
    { why: 'a string', args: ['GET'], message: 'bytes: a Uint8Array is expected' },
    { why: 'a feeding that is none', args: [new Uint8Array(), 1], message: 'feeding: an object is expected' },
    {
      why: 'cuts beyond the bytes',
      args: [new Uint8Array(4), { cuts: Uint32Array.of(5) }],
      message: 'cuts: ascending offsets within the bytes are expected',
    },
    {
      why: 'cuts out of order',
      args: [new Uint8Array(4), { cuts: Uint32Array.of(3, 2) }],
      message: 'cuts: ascending offsets within the bytes are expected',
    },
    { why: 'no flag', args: [new Uint8Array(), { ended: 1 }], message: 'ended: a boolean is expected' },
  ];

  test.each(cases)('refuses $why', ({ args, message }) => {
    expect(() => Reflect.apply(classifier.identify, classifier, args)).toThrow(message);
  });
});

describe('splice', () => {
  const classifier = build(tables);
  const cases = [
    {
      why: 'nothing',
      args: [],
      message: 'splice: a position, a count, recognizers and a count are expected',
    },
    { why: 'no list', args: [0, 0, {}, 0], message: 'splice: a position, a count, recognizers' },
    { why: 'automata', args: [0, 0, [first], 0], message: 'added: recognizers are expected' },
    {
      why: 'another object of ours',
      args: [0, 0, [classifier], 0],
      message: 'added: recognizers are expected',
    },
    {
      why: 'a position beyond the end',
      args: [999, 0, [], 0],
      message: `splice: beyond the ${protocols.length} protocols`,
    },
    { why: 'more than there are', args: [1, protocols.length, [], 0], message: 'splice: beyond' },
    {
      why: 'more routed than are left',
      args: [0, protocols.length, [], 1],
      message: 'routable: at most 0, got 1',
    },
  ];

  test.each(cases)('refuses $why', ({ args, message }) => {
    expect(() => Reflect.apply(classifier.splice, classifier, args)).toThrow(message);
  });
});

describe('identifyMany', () => {
  const classifier = build(tables);

  test('answers with positions, -1 and -2', () => {
    const flights = ['SSH-2.0-x', 'GET', '\x7fELF\x02', '*1\r\n$4\r\n'].map((text) => Buffer.from(text));
    let end = 0;
    const ends = Uint32Array.from(flights, ({ length }) => (end += length));
    const answers = new Int32Array(flights.length);
    classifier.identifyMany(Buffer.concat(flights), ends, answers);
    const position = (id: string) => protocols.findIndex((protocol) => protocol.id === id);
    expect([...answers]).toEqual([position('ssh'), -2, -1, position('redis')]);
  });

  test('refuses too few answers', () => {
    const call = () => classifier.identifyMany(new Uint8Array(2), Uint32Array.of(1, 2), new Int32Array(1));
    expect(call).toThrow('answers: one for each end is expected');
  });
});

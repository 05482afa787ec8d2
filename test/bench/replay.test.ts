/** Recordings: what they may hold, what is made of them, and what is said of those that are wrong. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CUSTOM_START, namesHost, openedAs, openingOf } from '../../src/bench/replay/openings.js';
import { createRecorder } from '../../src/bench/replay/recorder.js';
import {
  type RecordedSession,
  type Recording,
  readRecording,
  recordingLimits,
  recordingText,
} from '../../src/bench/replay/recording.js';
import { playOf, scriptsText } from '../../src/bench/replay/script.js';
import { createWays } from '../../src/bench/replay/ways.js';
import { openings } from '../../src/bench/workloads/openings.js';
import { identifyFlight } from '../../src/protocols/flight.js';

const session: RecordedSession = {
  at: 0,
  protocol: 'http',
  listener: 0,
  upstream: 0,
  opening: 100,
  up: 100,
  down: 2000,
  lasted: 0.5,
  by: 'upstream',
};
const recordingOf = (...sessions: Partial<RecordedSession>[]): Recording => ({
  span: 1000,
  left_out: {},
  sessions: sessions.map((each) => ({ ...session, ...each })),
});

describe('openings', () => {
  /** As in native/load/script.h: the mark, and what follows it in the same segment. */
  const behind = Buffer.concat([Buffer.from('a7f35e9107000000', 'hex'), Buffer.alloc(300, 'p')]);

  test.each([...Object.keys(openings), 'tls', 'http2'])(
    '%s is known by its own, of any length',
    async (protocol) => {
      expect(openedAs(protocol)).toBe(protocol);
      for (const length of [0, 50, 700, 5000]) {
        const opening = await openingOf(protocol, 'u3.test', length);
        const flight = identifyFlight([Buffer.concat([opening, behind])], 'tcp');
        expect(flight, `${length}`).toMatchObject({ protocol, verdict: 'match' });
      }
    },
  );

  test('of protocols that name a host they have the length that was recorded', async () => {
    for (const protocol of ['http', 'tls']) {
      expect(namesHost(protocol)).toBe(true);
      for (const length of [1000, 16_000]) {
        const opening = await openingOf(protocol, 'u3.test', length);
        expect(opening).toHaveLength(length);
        const facts = protocol === 'tls' ? { sni: 'u3.test' } : { host: 'u3.test' };
        expect(identifyFlight([opening], 'tcp')).toMatchObject({ facts });
      }
    }
  });

  test('others open as one alike, or as a custom one', async () => {
    expect(['webdav', 'grpc', 'vnc', 'custom'].map(openedAs)).toEqual(['http', 'http2', 'custom', 'custom']);
    expect((await openingOf('custom', '', 100)).toString('hex')).toBe(CUSTOM_START);
  });
});

describe('a recorder', () => {
  const line = {
    time: '2026-01-01T00:00:10.000Z',
    msg: 'session',
    listener: '192.0.2.1:443',
    protocol: 'tls',
    facts: { sni: 'secret.example.com' },
    source: '198.51.100.7:4000',
    upstream: 'billing',
    endpoint: 'billing.internal:443',
    user: 'alice',
    opening_bytes: 517,
    bytes_up: 900,
    bytes_down: 5000,
    duration_ms: 1500,
    by: 'client',
    during: 'relay',
    reason: 'done',
    worker: 0,
  };
  const recorded = (lines: object[], spanMs = Number.POSITIVE_INFINITY) => {
    const recorder = createRecorder(spanMs);
    const taken = lines.map((each) => recorder.take(JSON.stringify({ ...line, ...each })));
    return { taken, recording: recorder.recording() };
  };
  const ready = { msg: 'ready', time: '2026-01-01T00:00:09.000Z' };

  test('takes numbers and protocols, and nothing else', () => {
    const { recording } = recorded([
      ready,
      { time: '2026-01-01T00:00:11.000Z', protocol: 'AcmeBilling', upstream: 'other', opening_bytes: 1000 },
      {},
    ]);
    expect(recording).toEqual({
      span: 2000,
      left_out: {},
      sessions: [
        { ...{ at: -500, protocol: 'tls', listener: 0, upstream: 1, opening: 517 }, ...rest },
        { ...{ at: 500, protocol: 'custom', listener: 0, upstream: 0, opening: 900 }, ...rest },
      ],
    });
    expect(recordingText(recording as Recording)).not.toMatch(/secret|198|192|billing|alice|Acme|other/);
  });
  const rest = { up: 900, down: 5000, lasted: 1500, by: 'client' };

  test('counts what it leaves out', () => {
    const { recording } = recorded([
      { transport: 'udp' },
      { during: 'admit' },
      { bytes_up: -1 },
      { duration_ms: 'long' },
      {},
    ]);
    expect(recording?.left_out).toEqual({ udp: 1, 'not relayed': 1, unreadable: 2 });
    expect(recording?.sessions).toHaveLength(1);
  });

  test('ends when so much of the log was read, and is nothing without a session', () => {
    const { taken } = recorded([ready, {}, { time: '2026-01-01T00:00:12.000Z' }], 2000);
    expect(taken).toEqual([true, true, false]);
    expect(recorded([ready]).recording).toBeNull();
    const recorder = createRecorder(1000);
    expect(['', 'no JSON', '[]', '7', '{}'].map((each) => recorder.take(each))).not.toContain(false);
    expect(recorder.recording()).toBeNull();
  });

  test('is not misled by lines that are out of order, nor by those of another log', () => {
    const { recording } = recorded([
      {},
      { time: '2026-01-01T00:00:09.990Z' },
      { time: '2025-01-01T00:00:00.000Z' },
    ]);
    expect(recording).toMatchObject({ span: 0, left_out: { 'before the first line': 1 } });
    expect(recording?.sessions.map(({ at }) => at)).toEqual([-1500, -1500]);
  });

  test('whatever the lines hold, what it makes can be read', () => {
    const stamp = fc.integer({ min: 0, max: 60_000 }).map((ms) => new Date(1.8e12 + ms).toISOString());
    const number = fc.oneof(fc.nat(), fc.double({ min: 0, max: 1e4, noNaN: true }), fc.jsonValue());
    const changes = fc.record(
      {
        time: fc.oneof({ weight: 9, arbitrary: stamp }, fc.constant({ toString: 1 }), fc.string()),
        protocol: fc.oneof(fc.constant('tls'), fc.jsonValue(), fc.constant({ toString: 1 })),
        ...{ duration_ms: number, bytes_up: number, bytes_down: number, opening_bytes: number },
        ...{ by: fc.jsonValue(), upstream: fc.jsonValue(), listener: fc.jsonValue() },
      },
      { requiredKeys: ['time'] },
    );
    fc.assert(
      fc.property(fc.array(changes), (lines) => {
        const { recording } = recorded(lines);
        if (recording === null) return;
        const read = readRecording(recordingText(recording));
        expect(read.ok ? [] : read.problems).toEqual([]);
      }),
    );
  });

  test('has a number for each of so many listeners and upstreams, and one for all others', () => {
    const many = Array.from({ length: 100 }, (_, index) => ({
      listener: `l${index}`,
      upstream: `u${index}`,
    }));
    const sessions = recorded(many).recording?.sessions ?? [];
    expect(new Set(sessions.map(({ listener }) => listener)).size).toBe(recordingLimits.listenersMax);
    expect(new Set(sessions.map(({ upstream }) => upstream)).size).toBe(recordingLimits.upstreamsMax);
    expect(readRecording(recordingText({ span: 0, left_out: {}, sessions })).ok).toBe(true);
  });
});

describe('a recording', () => {
  test('is read as it was written', () => {
    const recording = recordingOf({}, { at: 10, protocol: null, opening: 0 }, { at: 900.125, by: 'other' });
    expect(readRecording(recordingText(recording))).toEqual({ ok: true, recording });
  });

  const good = recordingText(recordingOf({}, { at: 5 }));
  const [head = '', first = ''] = good.split('\n');
  const wrong: readonly { why: string; text: string; says: string | RegExp }[] = [
    { why: 'nothing', text: '', says: '1:1: it is empty' },
    { why: 'another file', text: 'server: {}\n', says: /^1:\d+: this is not JSON$/ },
    { why: 'no sessions', text: `${head}\n`, says: '2:1: there is no session' },
    { why: 'no head', text: `${first}\n`, says: '1:2: unknown key "at"' },
    {
      why: 'another version',
      text: good.replace('recording":1', 'recording":2'),
      says: /^1:2: .*reads version 1/,
    },
    { why: 'a line cut short', text: good.slice(0, -20), says: /^3:\d+: this is not JSON$/ },
    { why: 'a number for an object', text: `${head}\n7\n`, says: '2:1: give an object' },
    { why: 'a missing key', text: good.replace('"up":100,', ''), says: '2:1: lacks up' },
    {
      why: 'an unknown key',
      text: good.replace('"up"', '"source":"192.0.2.1","up"'),
      says: '2:67: unknown key "source"',
    },
    {
      why: 'a negative size',
      text: good.replace('"down":2000', '"down":-1'),
      says: /^2:76: down: give 0 to/,
    },
    {
      why: 'what commands a terminal',
      text: good.replace('{}', '{"\\u001b[2J":1}'),
      says: /^1:36: left_out: give/,
    },
    {
      why: 'a key of every object',
      text: good.replace('"up":100', '"constructor":1,"up":100'),
      says: '2:67: unknown key "constructor"',
    },
    {
      why: 'half a byte',
      text: good.replace('"up":100', '"up":0.5'),
      says: /^2:67: up: give a whole number/,
    },
    { why: 'a name', text: good.replace('"http"', '"Acme"'), says: /^2:9: protocol: give the id/ },
    { why: 'the wrong order', text: good.replace('"at":0', '"at":6'), says: /^3:2: at: .*order/ },
    {
      why: 'a reason that commands a terminal',
      text: good.replace('"left_out":{}', '"left_out":{"\\u001b[2J":1}'),
      says: /^1:\d+: left_out: give at most 20 numbers of sessions/,
    },
    {
      why: 'a key of every object',
      text: good.replace('"up"', '"toString":1,"up"'),
      says: /unknown key "toString"/,
    },
    {
      why: 'an end before the beginning',
      text: good.replace('"at":0', '"at":-1'),
      says: /^2:2: at: it was over/,
    },
  ];
  test.each(wrong)('$why', ({ text, says }) => {
    const read = readRecording(text);
    expect(read.ok ? 'read' : read.problems[0]).toMatch(says);
  });

  test('is read or refused with a place, whichever character is another', () => {
    for (const at of Array.from(good).keys()) {
      for (const other of ['', '"', '}', '\n', '-', '9', 'e', '\u0000', '€']) {
        const read = readRecording(good.slice(0, at) + other + good.slice(at + 1));
        if (!read.ok) expect(read.problems.join('\n')).toMatch(/^\d+:\d+: \S/);
      }
    }
  });

  test('tells of the first problems only', () => {
    const read = readRecording(`${head}\n${'x\n'.repeat(1000)}`);
    expect(read.ok ? [] : read.problems).toHaveLength(recordingLimits.problemsMax);
  });
});

describe('a play', () => {
  const played = (recording: Recording, speed: number) => playOf(recording, speed, createWays());

  test('has all bytes of a recording, however often they go', async () => {
    const sizes = { opening: 200, up: 10_000, down: 1_000_000, lasted: 1000 };
    const { scripts, openings: made, up, down, added } = await played(recordingOf(sizes), 1);
    expect({ up, down, added }).toEqual({ up: 10_000, down: 1_000_000, added: 0 });
    const [script] = scripts;
    expect(script).toMatchObject({ lastsUs: 1_000_000, exchanges: 16, serverCloses: true, opening: 1 });
    expect((script?.up ?? 0) + (made[1]?.length ?? 0) + 8).toBe(10_000);
  });

  test('says what does not fit', async () => {
    const { up, added, others } = await played(recordingOf({ protocol: 'irc', opening: 5, up: 5 }), 1);
    expect({ up, added, others: [...others] }).toEqual({ up: 12, added: 7, others: [['irc', 1]] });
  });

  test('is as much faster as was asked for', async () => {
    const { scripts, spanUs } = await played(recordingOf({}, { at: 500, lasted: 400 }), 10);
    expect(scripts[1]).toMatchObject({ dueUs: 50_000, lastsUs: 40_000 });
    expect(spanUs).toBe(100_000);
  });

  test('opens before its beginning what was open, with what was left of it', async () => {
    const early = { at: -900, lasted: 1000, opening: 0, protocol: null, up: 5000, down: 90_000 };
    const { scripts, up, down } = await played(recordingOf(early, { ...early, at: -100 }), 1);
    expect(scripts.map(({ dueUs, lastsUs }) => [dueUs, lastsUs])).toEqual([
      [-1000, 100_000],
      [-500, 900_000],
    ]);
    expect({ up, down }).toEqual({ up: 5000, down: 90_000 });
  });

  test('ends when the recording does, with what had gone by then', async () => {
    const long = { at: 500, lasted: 10_000, opening: 0, protocol: null, up: 5000, down: 90_000 };
    const { scripts, up, down } = await played(recordingOf(long), 1);
    expect(scripts).toMatchObject([{ dueUs: 500_000, lastsUs: 500_000 }]);
    expect({ up, down }).toEqual({ up: 250, down: 4500 });
  });

  test('is held open by clients where one answer would end it at once', async () => {
    const scripts = (await played(recordingOf({ lasted: 30, up: 41 }), 1)).scripts;
    expect(scripts).toEqual([
      expect.objectContaining({ exchanges: 1, serverCloses: false, lastsUs: 30_000 }),
    ]);
    expect(scriptsText(scripts)).toMatch(/^0 30000 0 1 \d+ 2000 1 0\n$/);
  });
});

import { expect, test } from 'vitest';
import { createLogger, jsonLines } from '../../src/base/log.js';
import type { SessionLine } from '../../src/worker/account.js';
import { sessionText } from '../../src/worker/session-text.js';
import { createRandom } from '../support/random.js';

const nowMs = Date.parse('2026-11-27T12:00:00.123Z');

const line: SessionLine = {
  listener: 'front',
  protocol: 'http',
  facts: { method: 'GET', path: '/', host: 'a.test' },
  transport: 'tcp',
  source: '[2001:db8::7]:40000',
  upstream: 'web',
  endpoint: '192.0.2.1:80',
  openingBytes: 77,
  bytesUp: 77,
  bytesDown: 2 ** 40,
  identifyMs: 0.12345,
  connectMs: 0.4,
  durationMs: 12.3456,
  by: 'client',
  during: 'relay',
  reason: 'done',
};

/** Everything that a line may say besides. */
const full: SessionLine = {
  ...line,
  transport: 'kcp',
  user: 'alice',
  status: 407,
  queueMs: 3.00049,
  error: 'ECONNREFUSED',
  route: 'routes[2]',
  opening: '0102',
  session: '0-1-2',
};

test('what is not known is left out, and null where it says something', () => {
  const bare = { ...line, protocol: null, upstream: null, endpoint: null, facts: {} };
  expect(sessionText(bare, 3, nowMs)).toBe(
    '{"level":"info","time":"2026-11-27T12:00:00.123Z","listener":"front","protocol":null,"facts":{},' +
      '"source":"[2001:db8::7]:40000","upstream":null,"endpoint":null,"opening_bytes":77,"bytes_up":77,' +
      '"bytes_down":1099511627776,"identify_ms":0.123,"connect_ms":0.4,"duration_ms":12.346,' +
      '"by":"client","during":"relay","reason":"done","worker":3,"msg":"session"}\n',
  );
});

test('each line has the time of its own millisecond', () => {
  const time = (at: number) => JSON.parse(sessionText(line, 0, at)).time;
  expect([time(nowMs), time(nowMs + 1), time(nowMs)]).toEqual([
    '2026-11-27T12:00:00.123Z',
    '2026-11-27T12:00:00.124Z',
    '2026-11-27T12:00:00.123Z',
  ]);
});

test('others for which it stands are counted, zeros are not', () => {
  const counts = (suppressed: number, others: number) =>
    sessionText(line, 0, nowMs, { suppressed, others }).replace(/^.*"worker":0/, '');
  expect(counts(0, 0)).toBe(',"msg":"session"}\n');
  expect(counts(5, 0)).toBe(',"suppressed":5,"msg":"session"}\n');
  expect(counts(5, 7)).toBe(',"suppressed":5,"suppressed_others":7,"msg":"session"}\n');
});

test('half a pair of surrogates is escaped', () => {
  expect(JSON.parse(sessionText({ ...line, error: 'a\ud800' }, 0, nowMs)).error).toBe('a\ud800');
  expect(sessionText({ ...line, error: 'a\ud800' }, 0, nowMs)).toContain('a\\ud800');
});

test('it is written as the other lines of the log are, whatever its texts are', () => {
  const below = createRandom(7);
  const characters = [
    '"',
    '\\',
    '\n',
    '\r',
    '\t',
    '\0',
    '\x1b',
    '\x7f',
    '\x9b',
    '\u202e',
    '\u2028',
    'é',
    '😀',
    ' ',
    'a',
    '/',
  ];
  const hostile = () => Array.from({ length: below(6) }, () => characters[below(characters.length)]).join('');
  const names = Object.keys(full) as (keyof SessionLine)[];
  for (let round = 0; round < 2000; round += 1) {
    const texts = names
      .filter(
        (name) => typeof full[name] === 'string' && !['transport', 'by', 'during', 'reason'].includes(name),
      )
      .map((name) => [name, hostile()]);
    const said: SessionLine = {
      ...full,
      ...Object.fromEntries(texts),
      facts: { host: hostile(), alpn: [hostile()] },
    };
    expect(withoutTime(sessionText(said, 1, nowMs))).toBe(withoutTime(byLogger(said)));
  }
});

const withoutTime = (text: string): string => text.replace(/"time":"[^"]*",/, '');

/** By the logger of all other lines. */
function byLogger(said: SessionLine): string {
  const lines: string[] = [];
  const logger = createLogger({ level: 'info', write: (text) => lines.push(text) });
  const micro = (value = 0) => Math.round(value * 1000) / 1000;
  logger.info(
    {
      listener: said.listener,
      protocol: said.protocol,
      facts: said.facts,
      source: said.source,
      transport: said.transport,
      upstream: said.upstream,
      endpoint: said.endpoint,
      user: said.user,
      status: said.status,
      opening_bytes: said.openingBytes,
      bytes_up: said.bytesUp,
      bytes_down: said.bytesDown,
      identify_ms: micro(said.identifyMs),
      connect_ms: micro(said.connectMs),
      queue_ms: micro(said.queueMs),
      duration_ms: micro(said.durationMs),
      by: said.by,
      during: said.during,
      reason: said.reason,
      error: said.error,
      route: said.route,
      opening: said.opening,
      session: said.session,
      worker: 1,
    },
    'session',
  );
  return jsonLines(lines.join(''));
}

/** Every check on answers of real servers: whole, cut at every byte, cut short, and on what is no answer. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type HealthCheck, type Outcome, overOf } from '../../../src/health/check.js';
import { type CheckName, checkNames, checkOf, checks } from '../../../src/health/checks/index.js';
import { type CheckCase, cases } from './cases.js';
import { askScript, type Cut, type Script } from './script.js';

const check = (type: CheckName): HealthCheck => checkOf(type) as HealthCheck;

/** The check's own keys, with defaults. */
const optionsOf = (type: CheckName, options: object = {}): object =>
  z.strictObject(check(type).options(z) as z.ZodRawShape).parse(options);

const ask = (each: CheckCase, cut?: Cut, closes?: boolean) =>
  askScript(check(each.type), optionsOf(each.type, each.options), each, cut, closes);

function expectOutcome(outcome: Outcome, expected: object | RegExp): void {
  if (!(expected instanceof RegExp)) return expect(outcome).toEqual(expected);
  expect(outcome).toEqual({ well: false, why: expect.stringMatching(expected) });
}

/** Length of an answer that depends on what was asked: as long as it is. */
const LONGEST = 256;
const lengthOf = (answer: Script['answers'][number]): number =>
  typeof answer === 'function' ? LONGEST : answer.length;

const isStream = (each: CheckCase): boolean =>
  overOf(check(each.type), optionsOf(each.type, each.options)) === 'tcp';

describe.each(cases)('$type: $why', (each) => {
  test('is judged, whether or not the endpoint closes behind it', async () => {
    expectOutcome((await ask(each)).outcome, each.expect);
    if (isEndless(each)) return;
    const open = await ask(each, undefined, false);
    expectOutcome(open.outcome, each.expect);
    expect(new Set(open.sent.map((bytes) => bytes.length > 0))).not.toContain(false);
  });

  test('is not decided before the bytes that decide', async () => {
    const last = each.answers.length - 1;
    const length = lengthOf(each.answers[last] ?? Buffer.alloc(0));
    for (let at = 0; at < length; at++) {
      const cut: Cut = (bytes, which) => (which === last ? [bytes.subarray(0, at)] : [bytes]);
      const { outcome } = await ask(each, cut);
      if (at >= (each.decidedBy ?? length)) expectOutcome(outcome, each.expect);
      else if (!isAgent(each) && !isEndless(each)) expect(outcome).toMatchObject({ well: false });
    }
  });
});

test.each(cases.filter(isStream))(
  '$type: $why: is judged alike wherever its answers are cut',
  async (each) => {
    for (const [index, answer] of each.answers.entries())
      for (let at = 1; at < lengthOf(answer); at++) {
        const cut: Cut = (bytes, which) =>
          which === index ? [bytes.subarray(0, at), bytes.subarray(at)] : [bytes];
        expectOutcome((await ask(each, cut)).outcome, each.expect);
      }
  },
);

/** An agent's line may end with its connection: HAProxy takes it so, too. */
const isAgent = ({ type }: CheckCase): boolean => type === 'agent';
/** The end of the connection is the end of the body, wherever it comes. */
const isEndless = ({ why }: CheckCase): boolean => why.startsWith('an answer whose end');

const scripted = checkNames.filter(
  (name) => name !== 'tcp' && name !== 'exec' && name !== 'tls' && name !== 'https',
);

/** Options without which a check asks nothing. */
const needed: Partial<Record<CheckName, object>> = {
  send_expect: { rounds: [{ send: 'PING\r\n', expect: '+PONG\r\n' }] },
};

describe.each(scripted)('%s', (type) => {
  const options = optionsOf(type, needed[type]);
  const answering = (bytes: Buffer) =>
    askScript(check(type), options, { speaksFirst: true, answers: [bytes] });

  test('an answer to another check is no good one', async () => {
    const foreign = cases.filter((each) => each.type !== type && each.expect !== undefined);
    for (const each of foreign) {
      const [first] = each.answers;
      if (first === undefined || typeof first === 'function') continue;
      // The dialogue of the test is a PING itself.
      if (type === 'send_expect' && each.type === 'redis') continue;
      const { outcome } = await answering(first);
      expect({ from: `${each.type}: ${each.why}`, well: outcome.well }).toEqual({
        from: `${each.type}: ${each.why}`,
        well: false,
      });
    }
  });

  const floods = [0x00, 0x0a, 0x20, 0x30, 0x41, 0x7f, 0x80, 0xff];
  test.each(floods)('a flood of %i is no good answer', async (byte) => {
    const { outcome } = await answering(Buffer.alloc(65_536, byte));
    expect(outcome).toMatchObject({ well: false, why: expect.stringMatching(/^[\x20-\x7e]{1,200}$/) });
  });

  test('whatever comes is an outcome in our words', async () => {
    const openings = cases.filter((each) => each.type === type).flatMap(({ answers }) => answers);
    const known = openings.map((answer) => (typeof answer === 'function' ? Buffer.alloc(20) : answer));
    const bytes = fc
      .tuple(fc.constantFrom(...known, Buffer.alloc(0)), fc.nat(64), fc.uint8Array({ maxLength: 300 }))
      .map(([opening, at, noise]) => Buffer.concat([opening.subarray(0, at), noise]));
    await fc.assert(
      fc.asyncProperty(bytes, async (answer) => {
        const { outcome } = await answering(answer);
        const words = outcome.well ? (outcome.note ?? 'well') : outcome.why;
        expect(words).toMatch(/^[\x20-\x7e]{1,200}$/);
      }),
      { numRuns: 150 },
    );
  });
});

describe('what a check asks', () => {
  const sentBy = async (type: CheckName, options?: object, answers: Buffer[] = [Buffer.from('+OK\r\n')]) => {
    const { sent } = await askScript(check(type), optionsOf(type, options), { answers });
    return sent.map((bytes) => bytes.toString('latin1'));
  };

  test('http: a request with the configured host, path and method', async () => {
    const [request] = await sentBy('http', { method: 'HEAD', path: '/up?x=1', host: 'a.example' });
    expect(request).toMatch(
      /^HEAD \/up\?x=1 HTTP\/1\.1\r\nHost: a\.example\r\n[\s\S]*Connection: close\r\n\r\n$/,
    );
    expect((await sentBy('http'))[0]).toContain('\r\nHost: web.example.com:8080\r\n');
  });

  test('redis: a command as an array, so that no password is a command', async () => {
    expect(await sentBy('redis', { password: 'a\r\nFLUSHALL' })).toEqual([
      '*2\r\n$4\r\nAUTH\r\n$11\r\na\r\nFLUSHALL\r\n',
      '*1\r\n$4\r\nPING\r\n',
    ]);
  });

  test('mqtt: CONNECT of 3.1.1 with clean session, user and password', async () => {
    const [connect] = await sentBy('mqtt', { client_id: 'c', user: 'u', password: 'p' });
    expect(Buffer.from(connect ?? '', 'latin1').toString('hex')).toBe(
      '101300044d51545404c2003c000163000175000170',
    );
  });

  test('dns: a query with recursion desired', async () => {
    const [query = ''] = await sentBy('dns', { name: 'a.example.', record: 'AAAA' });
    expect(Buffer.from(query, 'latin1').subarray(2).toString('hex')).toBe(
      `010000010000000000000161${'07'}6578616d706c6500001c0001`,
    );
  });
});

describe('options', () => {
  const problems = (type: CheckName, options: object): string =>
    z
      .strictObject(check(type).options(z) as z.ZodRawShape)
      .safeParse(options)
      .error?.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
      .join('\n') ?? '';

  const wrong: { type: CheckName; options: object; says: RegExp }[] = [
    { type: 'http', options: { path: 'up' }, says: /path: expected a path such as `\/health`, got "up"/ },
    { type: 'http', options: { path: '/a\r\nX: y' }, says: /path/ },
    { type: 'http', options: { host: 'a b' }, says: /host: expected a host/ },
    { type: 'http', options: { method: 'GET /' }, says: /method/ },
    { type: 'http', options: { status: '600' }, says: /status.*: expected statuses such as/ },
    { type: 'http', options: { status: ['299-200'] }, says: /expected statuses/ },
    { type: 'http', options: { body: '' }, says: /body: expected text/ },
    { type: 'tls', options: { min_days: -1 }, says: /min_days: expected a whole number from 0/ },
    { type: 'tls', options: { ca: 'ca.pem' }, says: /ca: expected an absolute path/ },
    { type: 'tls', options: { server_name: 'a b' }, says: /server_name/ },
    { type: 'redis', options: { role: 'slave' }, says: /role: expected one of `any`, `master`, `replica`/ },
    { type: 'smtp', options: { hello: 'a\r\nDATA' }, says: /hello: expected a host name/ },
    { type: 'dns', options: { name: 'a..b' }, says: /name: expected a name/ },
    { type: 'dns', options: { record: 'X' }, says: /record: expected one of/ },
    { type: 'dns', options: { rcode: ['fine'] }, says: /rcode/ },
    { type: 'send_expect', options: {}, says: /rounds: expected a list of 1 to 16 rounds/ },
    { type: 'send_expect', options: { rounds: [] }, says: /rounds: expected a list/ },
    { type: 'send_expect', options: { rounds: [{}] }, says: /expected a round such as/ },
    {
      type: 'send_expect',
      options: { rounds: [{ sent: 'x' }] },
      says: /unknown key `sent`: a round has `send`/,
    },
    {
      type: 'send_expect',
      options: { rounds: [{ send_hex: '0' }] },
      says: /send_hex: expected bytes in hex/,
    },
    {
      type: 'send_expect',
      options: { rounds: [{ send: { hex: '00' } }] },
      says: /text of 1 to 2048 characters; bytes in hex are written as `send_hex: "0d0a"`, got a mapping/,
    },
    { type: 'send_expect', options: { rounds: [{ expect: 7 }] }, says: /`expect_hex: "0d0a"`, got 7/ },
    { type: 'send_expect', options: { rounds: [{ send: 'a', send_hex: '00' }] }, says: /not both/ },
    { type: 'send_expect', options: { rounds: [{ expect: 'a', expect_regex: '^b' }] }, says: /not several/ },
    { type: 'send_expect', options: { rounds: [{ expect_regex: 'b' }] }, says: /must begin with \^/ },
    { type: 'send_expect', options: { rounds: [{ expect_regex: '^(a)\\1' }] }, says: /back-references/ },
    { type: 'http', options: { status: [] }, says: /status: expected statuses .*, got an empty list/ },
    { type: 'dns', options: { rcode: [] }, says: /rcode: expected response codes .*, got an empty list/ },
    { type: 'exec', options: {}, says: /command: missing: expected absolute path of a program/ },
    { type: 'exec', options: { command: 'true' }, says: /command: expected absolute path/ },
    { type: 'exec', options: { command: '/bin/true', args: 'x' }, says: /args: expected a list/ },
  ];
  test.each(wrong)('$type $options', ({ type, options, says }) =>
    expect(problems(type, options)).toMatch(says),
  );

  test('are plain data, whichever check', () => {
    const minimal: Partial<Record<CheckName, object>> = { ...needed, exec: { command: '/bin/true' } };
    for (const type of checkNames) {
      const options = optionsOf(type, minimal[type]);
      expect(structuredClone(options)).toEqual(options);
      expect(JSON.parse(JSON.stringify(options))).toEqual(options);
    }
  });

  test('none has the name of a common key', () => {
    const common = [
      'type',
      'interval',
      'timeout',
      'rise',
      'fall',
      'fast_interval',
      'jitter',
      'port',
      'address',
    ];
    for (const type of checkNames)
      expect(Object.keys(check(type).options(z)).filter((key) => common.includes(key))).toEqual([]);
    expect(Object.keys(checks)).toEqual(checkNames);
  });
});

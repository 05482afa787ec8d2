import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { redis } from '../../src/handlers/redis.js';
import { type Parsed, RespParser, respLimits } from '../../src/handlers/resp.js';
import { Pair, readAll } from './pair.js';

let pair: Pair;
beforeAll(async () => {
  pair = await Pair.serve(redis);
});
afterAll(() => pair.close());

const resp = (...args: string[]) =>
  `*${args.length}\r\n${args.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join('')}`;

/** All parsed commands, up to the first problem. */
function parse(...chunks: Buffer[]): Parsed[] {
  const parser = new RespParser();
  const all: Parsed[] = [];
  for (const chunk of chunks) {
    parser.push(chunk);
    for (let parsed = parser.next(); parsed !== null; parsed = parser.next()) {
      all.push(parsed);
      if ('problem' in parsed) return all;
    }
  }
  return all;
}

const cases = [
  { why: 'what redis-cli ping sends', send: resp('PING'), reply: '+PONG\r\n' },
  { why: 'commands in any letter case', send: resp('pInG', 'hi'), reply: '$2\r\nhi\r\n' },
  { why: 'binary passes', send: resp('ECHO', '\x00\r\n\xff'), reply: '$4\r\n\x00\r\n\xff\r\n' },
  { why: 'an empty argument', send: resp('ECHO', ''), reply: '$0\r\n\r\n' },
  { why: 'what redis-cli asks first', send: resp('COMMAND', 'DOCS'), reply: '*0\r\n' },
  { why: 'the only database', send: resp('SELECT', '0'), reply: '+OK\r\n' },
  { why: 'another one', send: resp('SELECT', '1'), reply: '-ERR DB index is out of range\r\n' },
  {
    why: 'what client libraries send first',
    send: resp('CLIENT', 'SETNAME', 'x') + resp('CLIENT', 'SETINFO', 'LIB-NAME', 'y'),
    reply: '+OK\r\n+OK\r\n',
  },
  { why: 'it keeps nothing', send: resp('GET', 'a'), reply: "-ERR unknown command 'GET'\r\n" },
  { why: 'no name of Object.prototype is a command', send: resp('constructor'), reply: /^-ERR unknown/ },
  { why: 'too few arguments', send: resp('ECHO'), reply: /^-ERR wrong number of arguments for 'echo'/ },
  { why: 'an unknown protocol version', send: resp('HELLO', '4'), reply: /^-NOPROTO / },
  { why: 'HELLO 2 answers with an array', send: resp('HELLO', '2'), reply: /^\*12\r\n\$6\r\nserver\r\n/ },
  { why: 'HELLO 3 answers with a map', send: resp('HELLO', '3'), reply: /^%6\r\n\$6\r\nserver\r\n/ },
  { why: 'INFO says how it was identified', send: resp('INFO'), reply: /\r\ndecided_at_byte:16\r\n/ },
  { why: 'inline, as by telnet', send: 'PING\r\nECHO  hello \n', reply: '+PONG\r\n$5\r\nhello\r\n' },
  { why: 'empty requests are skipped', send: `\r\n*0\r\n${resp('PING')}`, reply: '+PONG\r\n' },
  {
    why: 'pipelined; nothing is answered after QUIT',
    send: resp('PING') + resp('QUIT') + resp('PING'),
    reply: '+PONG\r\n+OK\r\n',
  },
  {
    why: 'what came before the broken request is answered',
    send: `${resp('PING')}*1\r\n:5\r\n`,
    reply: "+PONG\r\n-ERR Protocol error: expected '$', got ':'\r\n",
  },
  { why: 'a length that is no number', send: '*x\r\n', reply: /^-ERR Protocol error: invalid multibulk/ },
  { why: 'a huge length', send: '*1\r\n$999999999\r\n', reply: /^-ERR Protocol error: invalid bulk/ },
  {
    why: 'no CRLF after the bytes',
    send: '*1\r\n$4\r\nPINGxx',
    reply: /^-ERR Protocol error: expected CRLF/,
  },
  {
    why: 'an unknown name does not split the reply',
    send: resp('A\r\nB'),
    reply: "-ERR unknown command 'A  B'\r\n",
  },
];

describe('redis handler', () => {
  test.each(cases)('$why', async ({ send, reply }) => {
    const got = await pair.exchange(Buffer.from(send, 'latin1'));
    if (typeof reply === 'string') expect(got).toBe(reply);
    else expect(got).toMatch(reply);
  });

  test.each(cases)('cut into single bytes: $why', ({ send }) => {
    const bytes = Buffer.from(send, 'latin1');
    expect(parse(...[...bytes].map((byte) => Buffer.of(byte)))).toEqual(parse(bytes));
  });

  test('a request without an end is refused, not kept', async () => {
    const got = await pair.exchange(Buffer.alloc(respLimits.requestBytesMax + 1, 'x'));
    expect(got).toBe('-ERR Protocol error: too big a request\r\n');
  });

  test('a client that does not read is not read from', async () => {
    const client = await pair.connect();
    client.pause();
    const request = Buffer.from(resp('ECHO', 'x'.repeat(8000)).repeat(64));
    let sent = 0;
    while (sent < 2000 && client.writableLength < 4 * request.length) {
      client.write(request);
      sent += 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(sent).toBeLessThan(2000);
    client.end();
    const reply = `$8000\r\n${'x'.repeat(8000)}\r\n`;
    expect((await readAll(client)).length).toBe(sent * 64 * reply.length);
  });
});

/** Sessions that are answered before they go anywhere, turn by turn, as a SOCKS client is: each turn is shown once. */
import { describe, expect, test } from 'vitest';
import { echo } from '../support/tcp.js';
import { eventually } from '../support/wait.js';
import type { FlowEngine, Seen } from './flow-engine.js';
import { TestEndpoint } from './kcp-endpoint.js';
import { at, dialOwn, ofLinks, useEngines } from './stream-engine.js';

const { later, engineOf, serve, client } = useEngines();

/** What the client says in its turns, each of a length that nothing else has, and what it is answered (RFC 1928, RFC 1929). */
const turns = [
  { says: Buffer.from([5, 2, 0, 2]), answer: Buffer.from([5, 2]) },
  { says: Buffer.from([1, 1, 0x75, 2, 0x70, 0x77]), answer: Buffer.from([1, 0]) },
  {
    says: Buffer.from([5, 1, 0, 1, 192, 0, 2, 1, 1, 0xbb]),
    answer: Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
  },
] as const;
const request = turns[2];
const said = Buffer.concat(turns.map(({ says }) => says));
const answered = Buffer.concat(turns.map(({ answer }) => answer));
const DATA = 'hello';

/** A server of these turns: `shown` are those that it has read whole. */
function createServer(port: number) {
  const shown: string[] = [];
  const decide = (session: Seen, engine: FlowEngine) => {
    const turn = turns.find(({ says }) => says.equals(session.bytes.subarray(0, says.length)));
    if (turn === undefined) return engine.answers.wait(session, 0, session.bytes.length + 1);
    shown.push(turn.says.toString('hex'));
    const taken = turn.says.length;
    if (turn !== request) return engine.answers.reply(session, 0, turn.answer, 1, taken);
    dialOwn(engine, session, [at(port)], { taken, greeting: turn.answer });
  };
  return { shown, decide };
}

const inHex = turns.map(({ says }) => says.toString('hex'));

test('a client that waits for each answer', async () => {
  const { shown, decide } = createServer((await serve(echo)).port);
  const user = await client(engineOf(decide));
  let length = 0;
  for (const { says, answer } of turns) {
    length += answer.length;
    await user.send(says).bytes(length);
  }
  user.send(DATA).finish();
  expect(await user.end()).toBe('fin');
  expect(user.received.toString('latin1')).toBe(answered.toString('latin1') + DATA);
  expect(shown).toEqual(inHex);
});

describe('a client that waits for none', () => {
  test.each(Array.from({ length: said.length + DATA.length - 1 }, (_, index) => index + 1))(
    'whose bytes come in two pieces, the first of %i',
    async (cut) => {
      const server = await serve(echo);
      const { shown, decide } = createServer(server.port);
      const engine = engineOf(decide);
      const user = await client(engine);
      const all = Buffer.concat([said, Buffer.from(DATA)]);
      user.send(all.subarray(0, cut));
      const before = turns.filter((_, index) => cut >= lengthUpTo(index)).length;
      await eventually('its turns', () => shown.length === before);
      user.send(all.subarray(cut)).finish();
      expect(await user.end()).toBe('fin');
      expect(user.received.toString('latin1')).toBe(answered.toString('latin1') + DATA);
      expect(shown).toEqual(inHex);
      expect(server.peers[0]?.received.toString()).toBe(DATA);
    },
  );

  const lengthUpTo = (index: number) =>
    turns.slice(0, index + 1).reduce((sum, { says }) => sum + says.length, 0);

  test('in one piece with its FIN', async () => {
    const { shown, decide } = createServer((await serve(echo)).port);
    const user = (await client(engineOf(decide))).send(Buffer.concat([said, Buffer.from(DATA)])).finish();
    expect(await user.end()).toBe('fin');
    expect(user.received.toString('latin1')).toBe(answered.toString('latin1') + DATA);
    expect(shown).toEqual(inHex);
  });

  test('over a link', async () => {
    const { shown, decide } = createServer((await serve(echo)).port);
    const engine = engineOf(decide, { links: ofLinks });
    const links = new TestEndpoint();
    later(() => links.close());
    const stream = links.open(await links.connect(engine.port));
    stream.send(Buffer.concat([said, Buffer.from(DATA)])).finish();
    expect(await stream.end()).toBe('fin');
    expect(stream.received.toString('latin1')).toBe(answered.toString('latin1') + DATA);
    expect(shown).toEqual(inHex);
  });
});

test('an answer without a number takes all that was shown', async () => {
  const engine = engineOf((session, { answers }) => {
    if (session.bytes.toString() === 'two') answers.end(session, 0, 'proxy', 'route', 'rejected', 'close');
    else answers.reply(session, 0, Buffer.from('!'), 3);
  });
  const user = (await client(engine)).send('one, and more');
  await user.bytes(1);
  user.send('two');
  expect(await user.end()).toBe('fin');
  expect(engine.of('classified').map(({ bytes }) => bytes.toString())).toEqual(['one, and more', 'two']);
});

test('between two turns a session may be held', async () => {
  const server = await serve(echo);
  const { decide } = createServer(server.port);
  const held: Seen[] = [];
  const engine = engineOf((session, its) => {
    held.push(session);
    its.answers.hold(session, 0, 60_000);
  });
  const user = (await client(engine)).send(Buffer.concat([said, Buffer.from(DATA)])).finish();
  for (let turn = 0; turn < turns.length; turn += 1) {
    const session = await eventually(`turn ${turn}`, () => held[turn]);
    decide(session, engine);
    engine.flush();
  }
  expect(await user.end()).toBe('fin');
  expect(user.received.toString('latin1')).toBe(answered.toString('latin1') + DATA);
});

test('a client that says no more within its time is shown as it is', async () => {
  const engine = engineOf(
    (session, { answers }) => {
      if (session.cause === 'timeout')
        answers.end(session, 0, 'timeout', 'sniff', 'identify_timeout', 'close');
      else answers.reply(session, 0, Buffer.from('!'), 1);
    },
    { tables: { identifyTimeoutMs: 200 } },
  );
  const user = (await client(engine)).send('x');
  expect(await user.end()).toBe('fin');
  expect(user.received.toString()).toBe('!');
});

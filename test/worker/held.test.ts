/** Decisions that take longer than a turn: nothing is read and nothing times out meanwhile, and a client that goes is noticed. */
import { describe, expect, test } from 'vitest';
import { enders, reasons } from '../../src/model/session.js';
import { freePort } from '../support/ports.js';
import { echo } from '../support/tcp.js';
import { eventually } from '../support/wait.js';
import type { FlowEngine, Seen } from './flow-engine.js';
import { TestEndpoint } from './kcp-endpoint.js';
import { at, dialOwn, first, ofLinks, useEngines } from './stream-engine.js';

const { later, engineOf, serve, client } = useEngines();

const HEAD = 'CONNECT there\r\n\r\n';
const LONG_MS = 60_000;

const hold = (session: Seen, { answers }: FlowEngine) => answers.hold(session, 0, LONG_MS);

async function heldClient(engine: FlowEngine, opening = HEAD) {
  const user = (await client(engine)).send(opening);
  return { user, session: await first(engine, 'classified') };
}

test('a session that is held outlives the time that decisions have, and goes on', async () => {
  const server = await serve(echo);
  const engine = engineOf((session, its) => {
    if (session.bytes.toString() === HEAD) hold(session, its);
  });
  const { user, session } = await heldClient(engine);
  const undecided = (await client(engine)).send('?');
  expect(await undecided.end()).toBe('reset');
  expect(engine.of('ended')).toHaveLength(1);
  dialOwn(engine, session, [at(server.port)], { taken: HEAD.length });
  engine.flush();
  user.send('x');
  expect((await user.bytes(1)).toString()).toBe('x');
});

test('it ends when its own time is over, or the longer one that it was held for again', async () => {
  const engine = engineOf((session, { answers }) => answers.hold(session, 0, 50));
  const { user } = await heldClient(engine);
  expect(await user.end()).toBe('reset');
  expect(await first(engine, 'ended')).toMatchObject({
    reason: 'identify_timeout',
    by: 'timeout',
    during: 'classify',
  });
  const again = engineOf((session, { answers }) => {
    answers.hold(session, 0, 50);
    answers.hold(session, 0, LONG_MS);
  });
  await heldClient(again);
  const short = (await client(engine)).send('?');
  await short.end();
  expect(again.engine.sessions()).toBe(1);
});

describe('a client that goes while it is held', () => {
  const gone = { reason: 'client_gone', by: 'client', during: 'classify' };

  test('ends its session, by a reset', async () => {
    const engine = engineOf(hold);
    const { user, session } = await heldClient(engine);
    user.reset();
    expect(await first(engine, 'ended')).toMatchObject(gone);
    // The answer comes too late: the slot may be another's.
    const { user: other } = await heldClient(engine);
    dialOwn(engine, session, [at(await freePort())]);
    engine.flush();
    expect(engine.engine.sessions()).toBe(1);
    expect(other.ending).toBeUndefined();
  });

  test('ends its session when it had gone before', async () => {
    let leave = () => {};
    const engine = engineOf((session, its) => {
      leave();
      hold(session, its);
    });
    const user = await client(engine);
    leave = () => user.reset();
    user.send(HEAD);
    expect(await first(engine, 'ended')).toMatchObject(gone);
  });

  test('is still there when it has only said all: its FIN follows its bytes', async () => {
    const server = await serve(echo);
    const engine = engineOf(hold);
    const { user, session } = await heldClient(engine);
    user.send('last words').finish();
    const other = (await client(engine)).send(HEAD);
    await eventually('the next session', () => engine.of('classified').length === 2);
    other.reset();
    await first(engine, 'ended');
    expect(engine.engine.sessions()).toBe(1);
    dialOwn(engine, session, [at(server.port)], { taken: HEAD.length });
    engine.flush();
    expect(await user.end()).toBe('fin');
    expect(user.received.toString()).toBe('last words');
  });

  test('ends its session, as a stream of a link over KCP', async () => {
    const engine = engineOf(hold, { links: ofLinks });
    const links = new TestEndpoint();
    later(() => links.close());
    const stream = links.open(await links.connect(engine.port));
    stream.send(HEAD);
    await first(engine, 'classified');
    links.endpoint.reset(stream.stream);
    expect(await first(engine, 'ended')).toMatchObject({ ...gone, isKcp: true });
  });
});

test('what is sent while a session is held reaches the endpoint once, in order', async () => {
  const server = await serve(echo);
  const engine = engineOf(hold);
  const { user, session } = await heldClient(engine, `${HEAD}one `);
  user.send('two ');
  await eventually('its bytes in the kernel', () => user.socket.bytesWritten === HEAD.length + 8);
  engine.answers.hold(session, 0, LONG_MS);
  engine.flush();
  user.send('three').finish();
  dialOwn(engine, session, [at(server.port)], { taken: HEAD.length });
  engine.flush();
  expect(await user.end()).toBe('fin');
  expect(user.received.toString()).toBe('one two three');
  expect(server.peers[0]?.received.toString()).toBe('one two three');
});

test('a session whose endpoint was not reached may be held, too', async () => {
  const server = await serve(echo);
  const dead = at(await freePort());
  const engine = engineOf(() => {}, {
    decide: (session, its) => {
      if (session.kind === 'classified') dialOwn(its, session, [dead], { taken: HEAD.length });
      else hold(session, its);
    },
  });
  const { user } = await heldClient(engine, `${HEAD}x`);
  dialOwn(engine, await first(engine, 'unreachable'), [at(server.port)], { taken: HEAD.length });
  engine.flush();
  expect((await user.bytes(1)).toString()).toBe('x');
});

test('the time that a decision took is not taken from what the client has to say', async () => {
  const engine = engineOf(() => {}, { tables: { identifyTimeoutMs: 300 } });
  const { user, session } = await heldClient(engine, '1');
  engine.answers.hold(session, 0, LONG_MS);
  engine.flush();
  // A session that is not held has had its time meanwhile.
  await client(engine);
  await eventually('its end', () => engine.of('classified').some(({ cause }) => cause === 'timeout'));
  engine.answers.wait(session, 0, 2);
  engine.flush();
  // Timers that are due go before.
  (await client(engine)).send('?');
  await eventually('it', () => engine.of('classified').some(({ bytes }) => bytes.toString() === '?'));
  user.send('2');
  const said = await eventually('both bytes', () =>
    engine.of('classified').find(({ bytes }) => bytes.toString() === '12'),
  );
  expect(said.cause).toBe('more_bytes');
});

test('held sessions end when all do, and with their engine', async () => {
  const engine = engineOf(hold);
  const { user } = await heldClient(engine);
  engine.engine.endAll(enders.indexOf('proxy'), reasons.indexOf('drain_timeout'));
  expect(await user.end()).toBe('reset');
  const { user: second } = await heldClient(engine);
  engine.engine.close();
  expect(await second.end()).toBe('reset');
});

/** Faulty user code costs its own session only. */
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { redisPing } from '../support/flights.js';
import { dial, echo, listenTcp, type Peer, type Upstream } from '../support/tcp.js';

const INNOCENTS = 40;

let daemon: Daemon;
let upstream: Upstream;
let innocents: Peer[];

beforeAll(async () => {
  upstream = await listenTcp(echo);
  daemon = await startDaemon({
    protocols: [
      { name: 'Redis', target: upstream.target },
      { name: 'Handled', handler: resolve('test/e2e/handlers/hostile.mjs'), start_bytes: ['68'] },
      {
        name: 'Validated',
        target: upstream.target,
        start_bytes: ['76'],
        validator: resolve('test/e2e/handlers/hostile-validator.mjs'),
      },
    ],
  });
  innocents = await Promise.all(Array.from({ length: INNOCENTS }, () => dial(daemon.port)));
  for (const client of innocents) client.send(redisPing);
  await allAnswered();
});
afterAll(async () => {
  await daemon.stop();
  await upstream.close();
});

let rounds = 0;

async function allAnswered(): Promise<void> {
  rounds += 1;
  await Promise.all(innocents.map((client) => client.bytes(rounds * redisPing.length)));
}

/** Other sessions are still served by the same worker. */
async function innocentsLive(): Promise<void> {
  for (const client of innocents) client.send(redisPing);
  await allAnswered();
  expect(innocents.filter((client) => client.ending !== undefined)).toEqual([]);
  expect(await daemon.metric('anyport_worker_restarts_total')).toBe(0);
}

const lineThat = (msg: string) => daemon.lines.filter((line) => line.msg === msg).at(-1);

describe('a validator', () => {
  const shapes = [
    { why: 'returns a promise that rejects', byte: 'r', says: 'got a promise' },
    { why: 'returns what can not be written', byte: 't', says: 'got an object' },
    { why: 'leaves a promise job that never ends', byte: 'j', says: 'timed out' },
    { why: 'leaves a job that throws', byte: 'q', says: 'escaped' },
    { why: 'throws an error whose getters never return', byte: 'g', says: 'can not be read' },
    { why: 'throws a proxy that never returns', byte: 'x', says: 'can not be read' },
  ];
  test.each(shapes)('that $why: no, told and counted', async ({ byte, says }) => {
    const before = await daemon.metric('anyport_validator_failures_total');
    const client = (await dial(daemon.port)).send(`v${byte}\0\0`).finish();
    await client.end();
    expect(await daemon.sessionOf(client)).toMatchObject({ protocol: null, upstream: null });
    expect(lineThat('validator failed')).toMatchObject({
      protocol: 'validated',
      error: expect.stringContaining(says),
    });
    await daemon.metricBecomes('anyport_validator_failures_total', before + 1);
    await innocentsLive();
  });

  test('that forgets a promise which rejects', async () => {
    const client = (await dial(daemon.port)).send('vu\0\0').finish();
    await client.end();
    expect(await daemon.sessionOf(client)).toMatchObject({ protocol: null });
    await innocentsLive();
    expect(lineThat('unhandled rejection')).toMatchObject({ level: 'error', error: 'Error: lost' });
  });
});

describe('a handler', () => {
  const shapes = [
    { why: 'an error', byte: 'e', says: 'Error: an error' },
    { why: 'null', byte: 'n', says: 'null' },
    { why: 'an object whose getters throw', byte: 'g', says: 'what was thrown can not be read' },
    { why: 'an error whose getters never return', byte: 'l', says: 'what was thrown can not be read' },
    { why: 'a proxy that never returns', byte: 'p', says: 'what was thrown can not be read' },
  ];
  test.each(shapes)('that rejects with $why ends its own session', async ({ byte, says }) => {
    const client = (await dial(daemon.port)).send(`h${byte}`);
    expect(await client.end()).toBe('reset');
    expect(await daemon.sessionOf(client)).toMatchObject({ reason: 'handler_error', error: says });
    expect(lineThat('handler failed')).toMatchObject({ upstream: 'Handled', error: says });
    await innocentsLive();
  });

  test('that forgets a promise which rejects keeps its session', async () => {
    const client = (await dial(daemon.port)).send('hu').finish();
    await innocentsLive();
    expect(lineThat('unhandled rejection')).toMatchObject({ error: 'Error: lost' });
    client.reset();
    await daemon.sessionOf(client);
  });
});

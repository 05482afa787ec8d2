/** A long transfer is read in large pieces; bytes behind it are still relayed at once, or within a tick. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { optionsWith } from '../support/plan.js';
import { dial, type Peer } from '../support/tcp.js';
import { eventually, within } from '../support/wait.js';
import { limits, planFor, upstream, useStage } from './plane.js';

const { serve, start } = useStage();

const PIECE = 'p'.repeat(16 * 1024);
/** Above kGatherAfterBytes (16 MiB), after which reads are coalesced. */
const PIECES = 1100;

async function arrival(peer: Peer, bytes: number): Promise<void> {
  while (peer.length < bytes) await once(peer.socket, 'data');
}

/** A session in which one end has sent so much one way that the proxy gathers. */
async function afterTransfer(way: 'down' | 'up', idleTimeoutMs = limits.idleTimeoutMs, rate = 0) {
  const endpoint = await serve();
  const options = optionsWith({ bandwidth: { up: rate, down: rate, per: 'session' } });
  const a = { ...upstream('a', endpoint.port), options };
  const plane = await start(planFor([a], { limits: { ...limits, idleTimeoutMs } }));
  const client = (await dial(plane.port)).send('aa');
  const server = await endpoint.peer(0);
  await server.bytes(2);
  const [from, to] = way === 'down' ? [server, client] : [client, server];
  let sent = way === 'down' ? 0 : 2;
  const pass = async (text: string) => {
    from.send(text);
    sent += text.length;
    await within(`${sent} bytes`, arrival(to, sent));
  };
  for (let piece = 0; piece < PIECES; piece += 1) await pass(PIECE);
  return { plane, from, to, pass, sent: () => sent };
}

/** One that the transfer does not reach, but that is taken from at every run. */
const LIMIT = 1024 ** 3;

const transfers = (['down', 'up'] as const).flatMap((way) => [0, LIMIT].map((rate) => ({ way, rate })));

test.each(transfers)(
  'the last byte of a long transfer $way that stays open, limit $rate',
  async ({ way, rate }) => {
    const { plane, from, to, pass, sent } = await afterTransfer(way, limits.idleTimeoutMs, rate);
    for (const text of ['x', PIECE, 'y']) await pass(text);
    expect(to.received.subarray(-1).toString()).toBe('y');
    to.send('thanks');
    await from.bytes((way === 'down' ? 2 : 0) + 'thanks'.length);
    from.finish();
    to.finish();
    const record = await eventually('the record', () => plane.records()[0]);
    expect(record).toMatchObject({ reason: 'done', [`bytes_${way}`]: sent() });
  },
);

test.each(transfers)(
  'a byte $way behind it, while the other way never rests, limit $rate',
  async ({ way, rate }) => {
    const { from, to, sent } = await afterTransfer(way, limits.idleTimeoutMs, rate);
    from.send('x');
    // Far more than fits into a tick, each in a turn of its own.
    const before = from.length;
    for (let beat = 1; beat <= 1000 && to.length === sent(); beat += 1) {
      to.send('.');
      await arrival(from, before + beat);
    }
    expect(to.length).toBe(sent() + 1);
  },
);

test.each(transfers)(
  'idle_timeout after a long transfer $way is that of any session, limit $rate',
  async ({ way, rate }) => {
    const idleTimeoutMs = 1000;
    const { plane, to, pass } = await afterTransfer(way, idleTimeoutMs, rate);
    await pass('x');
    // One that begins later ends later, or in the same turn of an engine that had no processor until then.
    await sleep(idleTimeoutMs / 2);
    const any = (await dial(plane.port)).send('aa');
    await any.end();
    await within('the first to end, too', to.end(), idleTimeoutMs * 0.4);
    const records = await eventually('both records', () => plane.records().length === 2 && plane.records());
    expect(records.map(({ reason }) => reason)).toEqual(['idle_timeout', 'idle_timeout']);
  },
);

/** A long transfer is read in large pieces; bytes behind it are still relayed at once, or within a tick. */
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { dial, type Peer } from '../support/tcp.js';
import { eventually, within } from '../support/wait.js';
import { planFor, upstream, useStage } from './plane.js';

const { serve, start } = useStage();

const PIECE = 'p'.repeat(16 * 1024);
/** Above kGatherAfterBytes (16 MiB), after which reads are coalesced. */
const PIECES = 1100;

async function arrival(peer: Peer, bytes: number): Promise<void> {
  while (peer.length < bytes) await once(peer.socket, 'data');
}

test.each(['down', 'up'] as const)('the last byte of a long transfer %s that stays open', async (way) => {
  const endpoint = await serve();
  const plane = await start(planFor([upstream('a', endpoint.port)]));
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
  for (const text of ['x', PIECE, 'y']) await pass(text);
  expect(to.received.subarray(-1).toString()).toBe('y');
  to.send('thanks');
  await from.bytes((way === 'down' ? 2 : 0) + 'thanks'.length);
  client.finish();
  server.finish();
  const record = await eventually('the record', () => plane.records()[0]);
  expect(record).toMatchObject({ reason: 'done', [`bytes_${way}`]: sent });
});

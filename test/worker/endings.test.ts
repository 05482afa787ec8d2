/**
 * FIN and RST of both ends in every order: each is forwarded as what it is, behind the bytes before it, and recorded.
 */
import { expect, test } from 'vitest';
import type { Ending, Peer } from '../support/tcp.js';
import { dial } from '../support/tcp.js';
import { eventually } from '../support/wait.js';
import { planFor, upstream, useStage } from './plane.js';

const { serve, start } = useStage();

type Act = 'client fin' | 'client reset' | 'server fin' | 'server reset';

interface Case {
  readonly acts: readonly Act[];
  /** Which side ended it, and how. */
  readonly by: 'client' | 'upstream';
  readonly reason: 'done' | 'reset';
  /** The first end that each side saw of the other. */
  readonly client?: Ending;
  readonly server?: Ending;
}

const cases: Case[] = [
  { acts: ['client fin', 'server fin'], by: 'client', reason: 'done', client: 'fin', server: 'fin' },
  { acts: ['server fin', 'client fin'], by: 'upstream', reason: 'done', client: 'fin', server: 'fin' },
  { acts: ['client fin', 'server reset'], by: 'upstream', reason: 'reset', client: 'reset', server: 'fin' },
  { acts: ['server fin', 'client reset'], by: 'client', reason: 'reset', client: 'fin', server: 'reset' },
  { acts: ['client reset'], by: 'client', reason: 'reset', server: 'reset' },
  { acts: ['server reset'], by: 'upstream', reason: 'reset', client: 'reset' },
  { acts: ['client fin', 'client reset'], by: 'client', reason: 'reset', server: 'fin' },
  { acts: ['server fin', 'server reset'], by: 'upstream', reason: 'reset', client: 'fin' },
];

const OPENING = 'aa';

async function established() {
  const upstreamServer = await serve();
  const plane = await start(planFor([upstream('a', upstreamServer.port)]));
  const client = (await dial(plane.port)).send(OPENING);
  const server = await upstreamServer.peer(0);
  await server.bytes(OPENING.length);
  return { plane, client, server };
}

/** FIN arrives before or after the bytes ahead of it have been read. */
const inOneBreath = cases.flatMap((each) => [false, true].map((atOnce) => ({ ...each, atOnce })));

test.each(inOneBreath)('$acts, at once with the last bytes: $atOnce', async (one) => {
  const { acts, by, reason, atOnce, ...seen } = one;
  const { plane, client, server } = await established();
  const sent = { client: OPENING, server: '' };
  for (const act of acts) {
    const [who, how] = act.split(' ') as ['client' | 'server', 'fin' | 'reset'];
    const [actor, other]: Peer[] = who === 'client' ? [client, server] : [server, client];
    if (actor === undefined || other === undefined) return;
    if (!actor.socket.writableEnded) {
      actor.send(act);
      sent[who] += act;
      if (how === 'reset' || !atOnce) await other.bytes(sent[who].length);
    }
    if (how === 'fin') await Promise.all([actor.finish(), other.end()]);
    else actor.reset();
  }
  const record = await eventually('the record', () => plane.records()[0]);
  expect(record).toMatchObject({
    by,
    reason,
    bytes_up: sent.client.length,
    bytes_down: sent.server.length,
  });
  if (seen.client) expect(await client.end()).toBe(seen.client);
  if (seen.server) expect(await server.end()).toBe(seen.server);
  expect(server.received.toString()).toBe(sent.client);
  expect(client.received.toString()).toBe(sent.server);
  expect(plane.open()).toBe(0);
});

test.each(['finish', 'reset'] as const)('both ends at the same moment: %s', async (how) => {
  const { plane, client, server } = await established();
  client[how]();
  server[how]();
  const record = await eventually('the record', () => plane.records()[0]);
  expect(record).toMatchObject({ reason: how === 'finish' ? 'done' : 'reset', bytes_up: OPENING.length });
  expect(plane.open()).toBe(0);
});

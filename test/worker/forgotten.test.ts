/** State that TypeScript keeps for relayed sessions. */
import { queryObjects } from 'node:v8';
import { expect, test } from 'vitest';
import { Session } from '../../src/worker/known-session.js';
import { dial, echo } from '../support/tcp.js';
import { planFor, upstream, useStage } from './plane.js';

const { serve, start } = useStage();

const CLIENTS = 20;

const known = () => queryObjects(Session, { format: 'count' }) as number;

const cases = [
  { why: 'nothing of one of which nobody will be told', enabled: false, kept: 0 },
  { why: 'what the access log will say', enabled: true, kept: CLIENTS },
];

// Needs v8.queryObjects (Node 20.13).
test.skipIf(queryObjects === undefined).each(cases)('$why', async ({ enabled, kept }) => {
  const server = await serve(echo);
  const plane = await start(planFor([upstream('a', server.port)], { accessLog: { enabled, rate: 1000 } }));
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => dial(plane.port)));
  await Promise.all(clients.map((client) => client.send('aa').bytes(2)));
  expect(known()).toBe(kept);
  for (const client of clients) client.finish();
  await Promise.all(clients.map((client) => client.end()));
  const done = { listener: 'front', protocol: 'custom', reason: 'done' };
  expect(plane.metric('anyport_sessions_total', done)).toBe(CLIENTS);
  expect(known()).toBe(0);
});

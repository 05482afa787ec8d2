/** Live sessions of a worker: listed in every stage, by the names of their own Plan; ended one by one. */
import { describe, expect, test } from 'vitest';
import type { PlanListener } from '../../src/model/plan.js';
import type { SessionInfo, SessionQuery } from '../../src/model/session-list.js';
import { Listing, type ListingParts } from '../../src/worker/listing.js';
import { startBlackHole } from '../support/servers.js';
import { dial, echo, type Peer } from '../support/tcp.js';
import { eventually } from '../support/wait.js';
import { limits, type Plane, planFor, upstream, useStage } from './plane.js';

const { serve, start, later } = useStage();

const witness = { ...upstream('b'), handler: new URL('./witness.mjs', import.meta.url).href };
const HTTP = 'GET / HTTP/1.1\r\nhost: x\r\n\r\n';

async function list(plane: Plane, query: SessionQuery = {}) {
  const reply = await plane.ask({ type: 'list', query });
  if (reply.type !== 'listed') throw new Error(`a reply to another question: ${reply.type}`);
  return reply;
}

async function only(plane: Plane): Promise<SessionInfo> {
  const { sessions } = await list(plane);
  expect(sessions).toHaveLength(1);
  return sessions[0] as SessionInfo;
}

const idOf = ({ id }: SessionInfo) => {
  const [, slot = 0, generation = 0] = id.split('-').map(Number);
  return { slot, generation };
};

async function end(plane: Plane, session: SessionInfo): Promise<boolean> {
  const reply = await plane.ask({ type: 'end', ...idOf(session) });
  return reply.type === 'ended' && reply.found;
}

/** A plane of two routes: to an echo, and to a handler. */
async function startBoth(accessLog = true) {
  const server = await serve(echo);
  const plane = await start(
    planFor([upstream('a', server.port), witness], { accessLog: { enabled: accessLog, rate: 100_000 } }),
  );
  const relayed = async (from?: string): Promise<Peer> => {
    const client = (await dial(plane.port, from)).send('aa');
    await client.bytes(2);
    return client;
  };
  const handled = async (): Promise<Peer> => {
    const client = (await dial(plane.port)).send(HTTP);
    await eventually('the handler', async () => (await list(plane, { upstream: 'b' })).matching > 0);
    return client;
  };
  return { plane, server, relayed, handled };
}

describe('a session in each stage is listed, and its end by an administrator has its line', () => {
  const noUpstream = { protocol: null, route: null, upstream: null, endpoint: null, idleMs: null };
  const trusting: PlanListener = {
    ...(planFor([]).listeners[0] as PlanListener),
    proxyProtocol: { trusted: ['127.0.0.1/32'] },
  };

  const stages: {
    stage: string;
    begin: () => Promise<{ plane: Plane; client: Peer; listed: object; logged: object; other?: Peer }>;
  }[] = [
    {
      stage: 'that has said nothing',
      async begin() {
        const { plane } = await startBoth();
        const client = await dial(plane.port);
        return { plane, client, listed: { ...noUpstream, stage: 'sniff' }, logged: { during: 'sniff' } };
      },
    },
    {
      stage: 'whose PROXY header is not complete',
      async begin() {
        const plane = await start(planFor([witness], { listeners: [trusting] }));
        const client = (await dial(plane.port)).send('PROXY TCP4 192.0.2.1 ');
        return { plane, client, listed: { ...noUpstream, stage: 'sniff' }, logged: { during: 'sniff' } };
      },
    },
    {
      stage: 'whose PROXY header has come',
      async begin() {
        const plane = await start(planFor([witness], { listeners: [trusting] }));
        const client = (await dial(plane.port)).send('PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n');
        await eventually('its address', async () => (await list(plane, { source: '192.0.2.1' })).matching);
        const source = '192.0.2.1:56324';
        return { plane, client, listed: { ...noUpstream, source }, logged: { during: 'sniff', source } };
      },
    },
    {
      stage: 'that waits for its endpoint',
      async begin() {
        const hole = await startBlackHole();
        later(() => hole.stop());
        const plane = await start(planFor([upstream('a', Number(hole.target.split(':')[1]))]));
        const client = (await dial(plane.port)).send('aa');
        await eventually('the dial', async () => (await list(plane, { endpoint: hole.target })).matching);
        const to = { protocol: 'custom', upstream: 'a', endpoint: hole.target };
        return {
          plane,
          client,
          listed: { ...to, stage: 'connect', idleMs: null },
          logged: { ...to, during: 'connect' },
        };
      },
    },
    {
      stage: 'that is relayed',
      async begin() {
        const { plane, server, relayed } = await startBoth();
        const client = await relayed();
        const to = { protocol: 'custom', upstream: 'a', endpoint: server.target };
        return {
          plane,
          client,
          other: await server.peer(0),
          listed: { ...to, stage: 'relay', bytesUp: 2, bytesDown: 2, idleMs: expect.any(Number) },
          logged: { ...to, during: 'relay', bytes_up: 2, bytes_down: 2 },
        };
      },
    },
    {
      stage: 'whose client has finished',
      async begin() {
        const server = await serve();
        const plane = await start(planFor([upstream('a', server.port)]));
        const client = (await dial(plane.port)).send('aa').finish();
        const other = await server.peer(0);
        expect(await other.end()).toBe('fin');
        return { plane, client, listed: { stage: 'relay' }, logged: { during: 'relay' } };
      },
    },
    {
      stage: 'that a handler serves',
      async begin() {
        const { plane, handled } = await startBoth();
        const client = await handled();
        const to = { protocol: 'http', upstream: 'b', endpoint: null };
        return { plane, client, listed: { ...to, stage: 'relay' }, logged: { ...to, during: 'relay' } };
      },
    },
  ];

  test.each(stages)('$stage', async ({ begin }) => {
    const { plane, client, listed, logged, other } = await begin();
    await eventually('the session', () => plane.open() === 1);
    const session = await only(plane);
    expect(session).toMatchObject({ worker: 0, listener: 'front', source: client.address, ...listed });
    expect(Date.parse(session.startedAt)).toBeLessThanOrEqual(Date.now());

    expect(await end(plane, session)).toBe(true);
    expect(await client.end()).toBe('reset');
    if (other !== undefined) expect(await other.end()).toBe('reset');
    const record = await eventually('the record', () => plane.records()[0]);
    expect(record).toMatchObject({ by: 'admin', reason: 'admin', source: session.source, ...logged });
    expect(plane.metric('anyport_sessions_total', { reason: 'admin' })).toBe(1);
    expect(plane.metric('anyport_sessions_active')).toBe(0);
    expect(await end(plane, session)).toBe(false);
    expect(await list(plane)).toMatchObject({ sessions: [], matching: 0 });
  });
});

test('a stale id ends nobody, also when its slot has another session', async () => {
  const { plane, relayed } = await startBoth();
  const first = await relayed();
  const stale = await only(plane);
  first.reset();
  await eventually('its end', () => plane.open() === 0);
  const second = await relayed();
  const session = await only(plane);
  expect(idOf(session).slot).toBe(idOf(stale).slot);
  expect(await end(plane, stale)).toBe(false);
  second.send('still here');
  await second.bytes(12);
  expect(plane.open()).toBe(1);
});

test('ids of a worker and of the one that replaces it differ', async () => {
  const ids = new Set<string>();
  for (let life = 0; life < 3; life += 1) {
    const { plane, relayed } = await startBoth();
    const client = await relayed();
    ids.add((await only(plane)).id);
    client.reset();
  }
  expect(ids.size).toBe(3);
});

describe.each([
  { log: 'with the access log', enabled: true },
  { log: 'without it', enabled: false },
])('$log', ({ enabled }) => {
  test('filters name listener, protocol, upstream, endpoint and source', async () => {
    const { plane, server, relayed, handled } = await startBoth(enabled);
    const clients = [await relayed(), await relayed('127.0.0.2'), await relayed('127.0.0.2')];
    const [, byHandler] = [await handled(), await dial(plane.port)];
    await eventually('all', () => plane.open() === 5);
    const matching = async (query: SessionQuery) => (await list(plane, query)).matching;
    expect(await matching({})).toBe(5);
    expect(await matching({ listener: 'front' })).toBe(5);
    expect(await matching({ listener: 'back' })).toBe(0);
    expect(await matching({ protocol: 'custom' })).toBe(3);
    expect(await matching({ protocol: 'http' })).toBe(1);
    expect(await matching({ upstream: 'a' })).toBe(3);
    expect(await matching({ endpoint: server.target })).toBe(3);
    expect(await matching({ source: '127.0.0.2' })).toBe(2);
    expect(await matching({ source: '127.0.0.0/31' })).toBe(3);
    expect(await matching({ source: 'unix' })).toBe(0);
    expect(await matching({ protocol: 'custom', source: '127.0.0.1' })).toBe(1);
    for (const client of [...clients, byHandler]) client.reset();
  });

  test('sessions are counted by the names they touch', async () => {
    const { plane, server, relayed, handled } = await startBoth(enabled);
    for (let n = 0; n < 3; n += 1) await relayed();
    await handled();
    await dial(plane.port);
    await eventually('all', () => plane.open() === 5);
    const reply = await plane.ask({ type: 'count' });
    const routes = planFor([witness, witness]).routes.map(({ name }) => name);
    expect(reply).toEqual({
      type: 'counted',
      counts: {
        listeners: new Map([['front', 5]]),
        protocols: new Map([
          ['custom', 3],
          ['http', 1],
        ]),
        routes: new Map([
          [routes[0], 3],
          [routes[1], 1],
        ]),
        upstreams: new Map([
          ['a', 3],
          ['b', 1],
        ]),
        endpoints: new Map([[`a ${server.target}`, 3]]),
      },
    });
  });

  test('a session keeps the names of the Plan with which it began', async () => {
    const { plane, server, relayed } = await startBoth(enabled);
    await relayed();
    const renamed = planFor([upstream('other', server.port)], { generation: 2 });
    await plane.adopt({ ...renamed, accessLog: { enabled, rate: 100_000 } });
    await relayed();
    const { sessions } = await list(plane, { order: 'oldest' });
    expect(sessions.map((session) => session.upstream)).toEqual(['a', 'other']);
  });
});

test('the order is the one asked for, the limit cuts the list but not the number', async () => {
  const { plane, relayed } = await startBoth();
  const clients: Peer[] = [];
  for (const extra of [1, 3, 2]) {
    const client = await relayed();
    client.send('x'.repeat(extra));
    await client.bytes(2 + extra);
    clients.push(client);
  }
  const sources = clients.map(({ address }) => address);
  const listed = async (query: SessionQuery) =>
    (await list(plane, query)).sessions.map(({ source }) => sources.indexOf(source));
  expect(await listed({})).toEqual([2, 1, 0]);
  expect(await listed({ order: 'oldest' })).toEqual([0, 1, 2]);
  expect(await listed({ order: 'largest' })).toEqual([1, 2, 0]);
  expect(await listed({ order: 'largest', limit: 1 })).toEqual([1]);
  expect((await list(plane, { limit: 1 })).matching).toBe(3);
});

test('sessions in several slices are all listed', async () => {
  const CROWD = 1200;
  const plane = await start(planFor([witness], { limits: { ...limits, maxConnections: CROWD } }));
  const clients: Peer[] = [];
  while (clients.length < CROWD) {
    clients.push(...(await Promise.all(Array.from({ length: 200 }, () => dial(plane.port)))));
  }
  await eventually('all to be accepted', () => plane.open() === CROWD);
  const { sessions, matching } = await list(plane, { limit: 1000 });
  expect(matching).toBe(CROWD);
  expect(new Set(sessions.map(({ id }) => id)).size).toBe(1000);
  for (const client of clients) client.reset();
});

/** A worker without sessions. */
const nobody: Omit<ListingParts, 'engine' | 'isOpen'> = {
  worker: 0,
  runtimeOf: () => {
    throw new Error('no session, no Plan');
  },
  sessionOf: () => undefined,
  decisionOf: () => undefined,
  linksOf: () => ({ links: [], total: 0 }),
};

test('other work runs between slices that take long', async () => {
  const SLICES = 5;
  let turns = 0;
  let next = setImmediate(function count() {
    turns += 1;
    next = setImmediate(count);
  });
  const listing = new Listing({
    ...nobody,
    engine: {
      list(slot, memory) {
        const startMs = performance.now();
        while (performance.now() - startMs < 3);
        new Uint32Array(memory).set([0, (slot + 1) % SLICES]);
      },
      end: () => false,
    },
    isOpen: () => true,
  });
  expect(await listing.answer({ type: 'list', query: {} })).toMatchObject({ matching: 0 });
  clearImmediate(next);
  expect(turns).toBeGreaterThanOrEqual(SLICES - 1);
});

test('a list ends when the engine is closed meanwhile', async () => {
  let isOpen = true;
  const listing = new Listing({
    ...nobody,
    engine: {
      list(slot, memory) {
        new Uint32Array(memory).set([0, slot + 1]);
        isOpen = slot < 3;
      },
      end: () => false,
    },
    isOpen: () => isOpen,
  });
  expect(await listing.answer({ type: 'count' })).toBe(null);
  expect(await listing.answer({ type: 'end', slot: 1, generation: 1 })).toBe(null);
});

/** Sessions through the real engine: bytes arrive unchanged, failures on the way are handled, and counts add up. */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { native } from '../../src/addon.js';
import type { Plan } from '../../src/model/plan.js';
import { listedRoutes, optionsWith, planned } from '../support/plan.js';
import { freePort } from '../support/ports.js';
import { dial, echo, Peer } from '../support/tcp.js';
import { tempFolder } from '../support/temp.js';
import { eventually, waited, within } from '../support/wait.js';
import { endpoint, limits, type Plane, planFor, startPlane, upstream, useStage } from './plane.js';

const { serve, start } = useStage();

async function lastRecord(plane: Plane, count = 1): Promise<Record<string, unknown>> {
  await eventually(`${count} sessions in the log`, () => plane.records().length >= count);
  return plane.records().at(-1) as Record<string, unknown>;
}

function sums(plane: Plane): { accepted: number; ended: number; active: number } {
  return {
    accepted: plane.metric('anyport_accepted_total'),
    ended: plane.metric('anyport_sessions_total'),
    active: plane.metric('anyport_sessions_active'),
  };
}

/** Identified sessions per protocol. */
function identified(plane: Plane): Record<string, number> {
  const counts = plane.samples().filter(({ name }) => name === 'anyport_identified_total');
  return Object.fromEntries(counts.map(({ labels, value }) => [labels.protocol, value]));
}

test('bytes both ways arrive once and in order, under back-pressure', async () => {
  const server = await serve(echo);
  const plane = await start(planFor([upstream('a', server.port)]));
  const sent = Buffer.concat([Buffer.from('aa'), randomBytes(24 << 20)]);
  const client = await dial(plane.port);
  client.send(sent).finish();
  await client.end();
  const hash = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
  expect(client.length).toBe(sent.length);
  expect(hash(client.received)).toBe(hash(sent));
  expect(await lastRecord(plane)).toMatchObject({
    reason: 'done',
    by: 'client',
    bytes_up: sent.length,
    bytes_down: sent.length,
    protocol: 'custom',
  });
});

describe('when an endpoint can not be reached', () => {
  test('another one gets the sniffed bytes, once', async () => {
    const server = await serve(echo);
    const plane = await start(planFor([upstream('a', await freePort(), server.port)]));
    for (let i = 0; i < 4; i += 1) {
      const client = await dial(plane.port);
      client.send('aa hello').finish();
      await client.end();
      expect(client.received.toString()).toBe('aa hello');
    }
    expect(server.peers.map((peer) => peer.received.toString())).toEqual(Array(4).fill('aa hello'));
    const failures = plane.metric('anyport_connect_failures_total', { reason: 'connect_failed' });
    expect(failures).toBeGreaterThan(0);
  });

  test('the next address of its name is tried first', async () => {
    const server = await serve(echo);
    const dead = { host: '127.0.0.1', port: await freePort() };
    const named = { ...endpoint(server.port), addresses: [dead, { host: '127.0.0.1', port: server.port }] };
    const plane = await start(
      planFor([{ ...upstream('a'), endpoints: [named], options: optionsWith({ retries: 0 }) }]),
    );
    const client = await dial(plane.port);
    client.send('aa').finish();
    await client.end();
    expect(client.received.toString()).toBe('aa');
  });

  test('and no other is left, the client is reset and the reason is said', async () => {
    const plane = await start(planFor([upstream('a', await freePort(), await freePort())]));
    const client = await dial(plane.port);
    client.send('aa');
    expect(await client.end()).toBe('reset');
    expect(await lastRecord(plane)).toMatchObject({
      reason: 'connect_failed',
      by: 'upstream',
      during: 'connect',
    });
  });

  test('an upstream without a resolved endpoint is no_endpoint', async () => {
    const unresolved = { ...endpoint(1), addresses: [] };
    const plane = await start(planFor([{ ...upstream('a'), endpoints: [unresolved] }]));
    const client = await dial(plane.port);
    client.send('aa');
    expect(await client.end()).toBe('reset');
    expect(await lastRecord(plane)).toMatchObject({ reason: 'no_endpoint', during: 'pick', by: 'proxy' });
  });
});

describe('when the queue of an endpoint is full', () => {
  const cleanups: (() => void)[] = [];
  afterEach(() => {
    for (const cleanup of cleanups.splice(0)) cleanup();
  });

  /** A Unix socket with a full backlog and nobody accepting yet. */
  async function startBusy(dialTimeoutMs: number, ...others: number[]) {
    const folder = tempFolder();
    cleanups.push(() => folder.remove());
    const path = `${folder.path}/endpoint.sock`;
    const fd = native.listen({ path }, { reusePort: false, backlog: 0 });
    const first = connect(path);
    await once(first, 'connect');
    cleanups.push(() => first.destroy());
    const busy = upstream('a', ...others);
    const endpoints = [{ ...endpoint(1), name: path, addresses: [{ path }] }, ...busy.endpoints];
    const plan = planFor([{ ...busy, endpoints }], { limits: { ...limits, dialTimeoutMs } });
    return { plane: await start(plan), fd, path };
  }

  test('it is asked again', async () => {
    const { plane, fd, path } = await startBusy(5000);
    const client = (await dial(plane.port)).send('aa hello').finish();
    await sleep(200);
    const server = createServer({ allowHalfOpen: true }, (socket) => echo(new Peer(socket))).listen({ fd });
    cleanups.push(() => server.close());
    await client.end();
    expect(client.received.toString()).toBe('aa hello');
    expect(await lastRecord(plane)).toMatchObject({ reason: 'done', endpoint: path });
  });

  test('another one is taken', async () => {
    const server = await serve(echo);
    const { plane, fd } = await startBusy(5000, server.port);
    cleanups.push(() => native.closeFd(fd));
    for (let n = 0; n < 2; n += 1) {
      const client = (await dial(plane.port)).send('aa').finish();
      await client.end();
    }
    expect(server.peers).toHaveLength(2);
  });

  test('and stays full until dial_timeout is over, the reason is said', async () => {
    const { plane, fd } = await startBusy(200);
    cleanups.push(() => native.closeFd(fd));
    const client = (await dial(plane.port)).send('aa');
    expect(await client.end()).toBe('reset');
    const record = await lastRecord(plane);
    expect(record).toMatchObject({ reason: 'connect_timeout', by: 'timeout', during: 'connect' });
    expect(record.duration_ms).toBeGreaterThan(waited(200));
  });
});

describe('a reset', () => {
  test('waits for an endpoint that is slow to take what the client had sent', async () => {
    const BYTES = 1 << 20;
    const SLOW_MS = 300;
    const server = await serve((peer) => {
      peer.socket.pause();
      const slowly = setInterval(() => peer.socket.read(), SLOW_MS);
      peer.socket.once('close', () => clearInterval(slowly));
    });
    const plane = await start(planFor([upstream('a', server.port)]));
    const client = await dial(plane.port);
    client.send(Buffer.alloc(BYTES, 'a'));
    const relayed = () => plane.metric('anyport_bytes_total', { direction: 'up' });
    await eventually('all to be relayed', () => relayed() === BYTES);
    client.reset();
    const peer = await server.peer(0);
    await peer.end();
    // libuv reports a reset as end of input when it arrives before the last bytes are read; a write fails only after RST.
    const failure = await new Promise((resolve) => peer.socket.write('x', resolve));
    expect(failure).toBeInstanceOf(Error);
    expect(peer.length).toBe(BYTES);
  });

  test('of the client reaches the upstream, after the bytes before it', async () => {
    const server = await serve();
    const plane = await start(planFor([upstream('a', server.port)]));
    const client = await dial(plane.port);
    client.send('aa last words');
    const peer = await server.peer(0);
    await peer.bytes(13);
    client.reset();
    expect(await peer.end()).toBe('reset');
    expect(peer.received.toString()).toBe('aa last words');
    expect(await lastRecord(plane)).toMatchObject({ reason: 'reset', by: 'client', bytes_up: 13 });
  });

  test('of the upstream reaches the client, after the bytes before it', async () => {
    const server = await serve();
    const plane = await start(planFor([upstream('a', server.port)]));
    const client = await dial(plane.port);
    client.send('aa');
    const peer = await server.peer(0);
    peer.send('answer');
    await client.bytes(6);
    peer.reset();
    expect(await client.end()).toBe('reset');
    expect(await lastRecord(plane)).toMatchObject({ reason: 'reset', by: 'upstream', bytes_down: 6 });
  });

  test('of a client whose FIN had come before is passed on too', async () => {
    const server = await serve();
    const plane = await start(planFor([upstream('a', server.port)]));
    const client = await dial(plane.port);
    client.send('aa').finish();
    const peer = await server.peer(0);
    await peer.end();
    client.reset();
    await eventually('the session to end', () => plane.open() === 0);
    expect(await lastRecord(plane)).toMatchObject({ reason: 'reset', by: 'client' });
  });
});

describe('facts', () => {
  const routes = listedRoutes([
    { when: { protocol: 1, host: 'b.example' }, to: { kind: 'upstream', upstream: 1 } },
    { when: { protocol: 1 }, to: { kind: 'upstream', upstream: 0 } },
  ]);

  test('a route by host waits for the header, however the bytes are cut', async () => {
    const [first, second] = [await serve(echo), await serve(echo)];
    const plane = await start(planFor([upstream('a', first.port), upstream('b', second.port)], { routes }));
    const request = 'GET / HTTP/1.1\r\nAccept: */*\r\nHost: b.example\r\n\r\n';
    const client = await dial(plane.port);
    for (const character of request) {
      client.send(character);
      await new Promise((resolve) => setImmediate(resolve));
    }
    client.finish();
    await client.end();
    expect(client.received.toString()).toBe(request);
    expect([first.peers.length, second.peers.length]).toEqual([0, 1]);
  });

  test('that never come fail closed', async () => {
    const [first, second] = [await serve(echo), await serve(echo)];
    const plane = await start(planFor([upstream('a', first.port), upstream('b', second.port)], { routes }));
    const client = await dial(plane.port);
    client.send('GET / HTTP/1.1\r\nAccept: */*\r\n').finish();
    await client.end();
    expect(await lastRecord(plane)).toMatchObject({ reason: 'client_gone', protocol: 'http' });
    expect([first.peers.length, second.peers.length]).toEqual([0, 0]);
  });
});

describe('what a protocol does not confirm goes on to the next', () => {
  const protocols: Plan['protocols'] = [
    planned({ name: 'WebSocket', id: 'websocket' }),
    planned({ name: 'HTTP', id: 'http' }),
  ];
  const head = 'GET / HTTP/1.1\r\nHost: a.example\r\n';
  const upgrade = 'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZQ==\r\n';

  async function startBoth(change: Partial<Plan> = {}) {
    const servers = [await serve(echo), await serve(echo)];
    const upstreams = servers.map(({ port }, i) => upstream(`u${i}`, port));
    return { plane: await start(planFor(upstreams, { protocols, ...change })), servers };
  }

  const openings = [
    { why: 'a match', request: `${head}${upgrade}\r\n`, protocol: 'websocket' },
    { why: 'no match', request: `${head}\r\n`, protocol: 'http' },
  ];
  test.each(openings)('$why, in one read and byte by byte', async ({ request, protocol }) => {
    const { plane, servers } = await startBoth();
    for (const reads of [[request], [...request]]) {
      const client = await dial(plane.port);
      for (const read of reads) {
        client.send(read);
        await new Promise((resolve) => setImmediate(resolve));
      }
      client.finish();
      await client.end();
      expect(client.received.toString()).toBe(request);
    }
    await lastRecord(plane, 2);
    expect(plane.records().map((record) => record.protocol)).toEqual([protocol, protocol]);
    expect(servers.map(({ peers }) => peers.length)).toEqual(protocol === 'websocket' ? [2, 0] : [0, 2]);
    expect(identified(plane)).toEqual({ [protocol]: 2 });
  });

  test('when the client says no more', async () => {
    const { plane } = await startBoth();
    const client = await dial(plane.port);
    client.send(head).finish();
    await client.end();
    expect(client.received.toString()).toBe(head);
    expect(await lastRecord(plane)).toMatchObject({ protocol: 'http', reason: 'done' });
  });

  test('when the time is over', async () => {
    const { plane } = await startBoth({ limits: { ...limits, identifyTimeoutMs: 1000 } });
    const client = await dial(plane.port);
    client.send(head);
    await client.bytes(head.length);
    client.finish();
    await client.end();
    expect(await lastRecord(plane)).toMatchObject({ protocol: 'http', reason: 'done' });
  });

  test('and is unknown when there is none', async () => {
    const listeners = [{ ...(planFor([]).listeners[0] as Plan['listeners'][number]), protocols: [0] }];
    const { plane } = await startBoth({ protocols: protocols.slice(0, 1), listeners, routes: [] });
    const client = await dial(plane.port);
    client.send(`${head}\r\n`);
    expect(await client.end()).toBe('reset');
    expect(await lastRecord(plane)).toMatchObject({ protocol: null, reason: 'unknown_protocol' });
  });

  test('for very many at once', async () => {
    const { plane } = await startBoth();
    const clients = await Promise.all(Array.from({ length: 200 }, () => dial(plane.port)));
    for (const client of clients) client.send(`${head}\r\n`).finish();
    await Promise.all(clients.map((client) => client.end()));
    await lastRecord(plane, clients.length);
    expect(identified(plane)).toEqual({ http: clients.length });
  });
});

describe('where only the name of what nothing routes is open', () => {
  const ssh = planned({ name: 'ssh', id: 'ssh' });
  const { protocols: configured, listeners, ...rest } = planFor([upstream('a', 1)]);
  const [custom] = configured as [Plan['protocols'][number]];
  const [front] = listeners as [Plan['listeners'][number]];
  const plan: Plan = { ...rest, protocols: [custom, ssh], listeners: [{ ...front, protocols: [0] }] };

  const unknown = { reason: 'unknown_protocol', by: 'proxy', during: 'classify', protocol: null };

  test('it is waited for a moment, and not the whole time', async () => {
    const plane = await start(plan);
    const client = (await dial(plane.port)).send('SSH');
    expect(await client.end()).toBe('reset');
    const record = await lastRecord(plane);
    expect(record).toMatchObject(unknown);
    expect(record.duration_ms).toBeGreaterThan(waited(1000));
    expect(record.duration_ms).toBeLessThan(limits.identifyTimeoutMs);
  });

  test('and for identify_min_bytes at most', async () => {
    const plane = await start({ ...plan, limits: { ...limits, identifyMinBytes: 3 } });
    const fewer = (await dial(plane.port)).send('SS');
    const enough = (await dial(plane.port)).send('SSH');
    await Promise.all([fewer.end(), enough.end()]);
    await lastRecord(plane, 2);
    expect(plane.records()).toMatchObject([unknown, unknown]);
    expect(plane.records().map(({ source }) => source)).toEqual([enough.address, fewer.address]);
  });

  test('and it comes in time, it is said', async () => {
    const plane = await start(plan);
    const client = (await dial(plane.port)).send('SSH');
    await sleep(200);
    client.send('-2.0-late\r\n');
    expect(await client.end()).toBe('reset');
    expect(await lastRecord(plane)).toMatchObject({ reason: 'no_route', protocol: 'ssh' });
  });

  test('and a route takes any name, it is waited for as long as any', async () => {
    const server = await serve(echo);
    const routes = listedRoutes([{ when: { listener: 0 }, to: { kind: 'upstream', upstream: 0 } }]);
    const plane = await start({ ...plan, routes, upstreams: [upstream('a', server.port)] });
    const client = (await dial(plane.port)).send('SSH');
    await sleep(1500);
    client.send('-2.0-late\r\n').finish();
    expect(await client.end()).toBe('fin');
  });
});

describe('the time to identify a session is over in all, where silence has longer', () => {
  const IDENTIFY_MS = 200;
  const onSilence = { afterMs: 60_000, to: { kind: 'upstream', upstream: 0 } } as const;
  const openings = [
    { why: 'a byte came, and no more', opening: 'a', trusted: [] },
    { why: 'no byte came', opening: '', trusted: [] },
    { why: 'a PROXY header came, and no more', opening: 'PROXY UNKNOWN\r\n', trusted: ['127.0.0.1/32'] },
  ];
  test.each(openings)('$why', async ({ opening, trusted }) => {
    const server = await serve();
    const { listeners, ...plan } = planFor([upstream('a', server.port)]);
    const [front] = listeners as [Plan['listeners'][number]];
    const plane = await start({
      ...plan,
      limits: { ...limits, identifyTimeoutMs: IDENTIFY_MS },
      listeners: [{ ...front, onSilence, proxyProtocol: { trusted } }],
    });
    const client = (await dial(plane.port)).send(opening);
    await client.end();
    const record = await lastRecord(plane);
    expect(record).toMatchObject({ reason: 'identify_timeout', by: 'timeout', during: 'sniff' });
    expect(record.duration_ms).toBeLessThan(onSilence.afterMs);
  });
});

test.each(['throws', 'rejects'])('a handler that %s ends its session, and nothing else', async (how) => {
  const plan = planFor([
    { ...upstream('a'), handler: new URL(`${how}.mjs`, import.meta.url).href },
    { ...upstream('b'), handler: 'builtin:echo' },
  ]);
  const plane = await start(plan);
  const client = await dial(plane.port);
  client.send('aa');
  expect(await client.end()).toBe('reset');
  await eventually('its record', () => plane.records().some(({ reason }) => reason === 'handler_error'));
  const next = await dial(plane.port);
  next.send('GET / HTTP/1.1\r\n\r\n').finish();
  await next.end();
  expect(next.received.toString()).toBe('GET / HTTP/1.1\r\n\r\n');
});

test.each(['timer', 'tick', 'now', 'reset', 'pipe', 'pipeUnheard'])(
  'a handler that gives up half an answer has its client reset, not finished: %s',
  async (way) => {
    const plane = await start(
      planFor([{ ...upstream('a'), handler: new URL('breaks.mjs', import.meta.url).href }]),
    );
    const client = (await dial(plane.port)).send(`aa${way}`);
    expect(await client.end()).toBe('reset');
    const record = await lastRecord(plane);
    expect(record).toMatchObject({ by: 'proxy', during: 'relay', reason: 'handler_error' });
    expect(plane.linesOf('handler failed')).toHaveLength(1);
  },
);

test('a handler that rejects when its worker is gone has nobody to tell', async () => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => unhandled.push(reason);
  process.on('unhandledRejection', note);
  const handler = new URL('rejects-late.mjs', import.meta.url).href;
  const plane = await startPlane(planFor([{ ...upstream('a'), handler }]));
  const client = (await dial(plane.port)).send('aa');
  await eventually(
    'the handler to be called',
    () => plane.metric('anyport_sessions_active', { protocol: 'custom' }) > 0,
  );
  await plane.stop();
  await client.end();
  await sleep(500);
  process.off('unhandledRejection', note);
  expect(unhandled).toEqual([]);
});

test('a new Plan serves new sessions; one under way keeps the old', async () => {
  const [before, after] = [await serve(echo), await serve(echo)];
  const plan = planFor([upstream('a', before.port)]);
  const plane = await start(plan);
  const old = await dial(plane.port);
  old.send('aa1');
  await old.bytes(3);
  const half = await dial(plane.port);
  half.send('a'); // still in identification when the Plan changes
  await eventually('two sessions', () => plane.open() === 2);
  await plane.adopt({ ...plan, generation: 2, upstreams: [upstream('a', after.port)] });
  half.send('a2').finish();
  await half.end();
  const fresh = await dial(plane.port);
  fresh.send('aa3').finish();
  await fresh.end();
  old.send('-1').finish();
  await old.end();
  expect(before.peers.map((peer) => peer.received.toString()).sort()).toEqual(['aa1-1', 'aa2']);
  expect(after.peers.map((peer) => peer.received.toString())).toEqual(['aa3']);
});

test('sessions left at the deadline of a drain are ended, and said to be', async () => {
  const server = await serve(echo);
  const plane = await startPlane(planFor([upstream('a', server.port)]));
  const client = await dial(plane.port);
  client.send('aa');
  await client.bytes(2);
  await plane.stop(50);
  expect(await client.end()).toBe('reset');
  expect(plane.records().at(-1)).toMatchObject({ reason: 'drain_timeout', by: 'timeout' });
  expect(plane.open()).toBe(0);
});

test('whatever clients do, every session ends once and nothing is left', async () => {
  const server = await serve((peer) => {
    peer.socket.on('data', (chunk) => (chunk.includes('!') ? peer.reset() : peer.send(chunk)));
    peer.socket.on('end', () => peer.finish());
  });
  const plane = await start(
    planFor([upstream('a', server.port)], { limits: { ...limits, maxConnections: 40 } }),
  );
  const acts: ((client: Awaited<ReturnType<typeof dial>>) => void)[] = [
    (client) => client.send('aa fine').finish(),
    (client) => client.send('aa boom!'),
    (client) => client.send('aa').reset(),
    (client) => client.send('a').finish(),
    (client) => client.send('\0\0\0\0').finish(),
    (client) => client.reset(),
    (client) => client.finish(),
    (client) => client.send(Buffer.concat([Buffer.from('aa'), Buffer.alloc(200_000)])).finish(),
  ];
  const crowd = Array.from({ length: 400 }, async (_, i) => {
    const client = await dial(plane.port, `127.0.0.${2 + (i % 8)}`).catch(() => undefined);
    if (client === undefined) return;
    const closed = once(client.socket, 'close'); // after its own reset a client sees nothing more
    acts[i % acts.length]?.(client);
    await within('the end of a session', Promise.race([client.ended, closed]));
    client.socket.destroy();
  });
  await Promise.all(crowd);
  await eventually('all sessions to end', () => plane.open() === 0);
  const { accepted, ended, active } = sums(plane);
  expect(accepted).toBe(400);
  expect(ended).toBe(accepted);
  expect(active).toBe(0);
  expect(plane.metric('anyport_endpoint_sessions')).toBe(0);
});

test('sessions under a new Plan take the endpoints in the order in which those before left it', async () => {
  const servers = await Promise.all([serve(echo), serve(echo), serve(echo)]);
  const web = upstream('web', ...servers.map(({ port }) => port));
  const plan = planFor([web], { accessLog: { enabled: true, rate: 100_000 } });
  const plane = await start(plan);
  const endpoints: unknown[] = [];
  for (let session = 0; session < 12; session += 1) {
    if (session > 0) await plane.adopt({ ...plan, generation: session + 1 });
    const client = (await dial(plane.port)).send('aa');
    await client.bytes(2);
    client.finish();
    await client.end();
    const records = await eventually('its line', () =>
      plane.records().length > session ? plane.records() : undefined,
    );
    endpoints.push(records.at(-1)?.endpoint);
  }
  const first = endpoints.slice(0, 3);
  expect(new Set(first).size).toBe(3);
  expect(endpoints).toEqual([...first, ...first, ...first, ...first]);
});

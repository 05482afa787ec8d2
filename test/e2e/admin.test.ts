/** The control interface of a running daemon: what it shows, and what it changes. */
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { answersSeen, type ControlSite, startControlled } from '../support/control.js';
import type { Daemon } from '../support/daemon.js';
import { redisPing, sshBanner } from '../support/flights.js';
import { dial, echo, listenTcp, type Peer, type Upstream } from '../support/tcp.js';
import { eventually } from '../support/wait.js';

let daemon: Daemon;
let site: ControlSite;
let one: Upstream;
let two: Upstream;

const start = () =>
  startControlled({
    protocols: [{ name: 'Redis', target: 'cache' }],
    upstreams: { cache: { endpoints: [one.target, { address: two.target, weight: 3 }] } },
  });

/** Several rotations of each worker: enough for each endpoint to get one. */
const SESSIONS_MAX = 32;

let written: string;
const opened: Peer[] = [];

beforeAll(async () => {
  [one, two] = await Promise.all([listenTcp(echo), listenTcp(echo)]);
  ({ daemon, site } = await start());
  written = readFileSync(configFile(), 'utf8');
});

/** As it was started, without sessions. */
afterEach(async () => {
  for (const client of opened.splice(0)) client.socket.destroy();
  await daemon.metricBecomes('anyport_sessions_active', 0);
  writeFileSync(configFile(), written);
  await site.ask('POST', '/api/v1/reload');
  for (const { target } of [one, two]) await set(target, { state: 'up', weight: null });
});

afterAll(async () => {
  await daemon.stop();
  await Promise.all([one.close(), two.close()]);
});

const endpointPath = (target: string) => `/api/v1/upstreams/cache/endpoints/${encodeURIComponent(target)}`;
const set = (target: string, body: object) => site.ask('PATCH', endpointPath(target), { body });

/** A session that is relayed, with its first bytes echoed. */
async function session(opening = redisPing, port = daemon.port): Promise<Peer> {
  const client = (await dial(port)).send(opening);
  opened.push(client);
  await client.bytes(opening.length);
  return client;
}

/** Where new sessions go: sorted targets. */
async function spread(count: number): Promise<string[]> {
  const before = [one.peers.length, two.peers.length];
  const clients = await Promise.all(Array.from({ length: count }, () => session()));
  for (const client of clients) client.finish();
  const targets = [one, two].filter((each, index) => each.peers.length > (before[index] ?? 0));
  return targets.map(({ target }) => target);
}

/** Opens sessions until each endpoint has some; returns them and how many each has. */
async function sessionsOnBoth(): Promise<{ clients: Peer[]; onOne: number; onTwo: number }> {
  const before = [one.peers.length, two.peers.length];
  const clients: Peer[] = [];
  for (;;) {
    clients.push(await session());
    const [onOne = 0, onTwo = 0] = [one, two].map(({ peers }, index) => peers.length - (before[index] ?? 0));
    if (onOne > 0 && onTwo > 0) return { clients, onOne, onTwo };
    if (clients.length === SESSIONS_MAX) throw new Error(`${onOne} and ${onTwo} sessions`);
  }
}

const configFile = () => `${daemon.folder.path}/anyport.yaml`;
/** Where a text stands, which stands there once. */
function inFile(text: string): string {
  const [before = ''] = written.split(text);
  return `${configFile()}:${before.split('\n').length}`;
}
const readConfig = () => JSON.parse(readFileSync(configFile(), 'utf8'));

describe('status', () => {
  test('says what runs, with the counts of real sessions', async () => {
    const fresh = await start();
    const client = await session(redisPing, fresh.daemon.port);
    (await session(redisPing, fresh.daemon.port)).finish();
    await fresh.daemon.ended(1);
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
    const { status, body } = await fresh.site.get('/api/v1/status');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      version,
      pid: fresh.daemon.pid,
      status: 'ready',
      listeners: [{ address: `127.0.0.1:${fresh.daemon.port}` }],
      config: { name: `${fresh.daemon.folder.path}/anyport.yaml` },
      lastChange: null,
      drain: null,
      workers: { wanted: 1, accepting: 1 },
      generation: 1,
      activeConnections: 1,
      acceptedConnections: 2,
      bytes: { up: 2 * redisPing.length, down: 2 * redisPing.length },
      protocols: { redis: { active: 1, identified: 2, ended: 1 } },
    });
    client.finish();
    await fresh.daemon.stop();
  });

  test('shows why the last change was refused, with every problem and its place', async () => {
    writeFileSync(configFile(), 'server: { wokers: 1 }\nprotocols: [{ name: Nope }]\n');
    const refused = await site.ask('POST', '/api/v1/reload');
    expect(refused.status).toBe(422);
    expect(refused.body.error).toMatchObject({
      code: 'invalid_config',
      message: expect.stringMatching(/^2 problems/),
    });
    const { body } = await site.get('/api/v1/status');
    expect(body.lastChange).toMatchObject({ result: 'refused', problems: refused.body.error.problems });
    expect(body.lastChange.problems).toEqual([
      expect.objectContaining({ file: configFile(), line: 1, column: 11, path: 'server.wokers' }),
      expect.objectContaining({ file: configFile(), line: 2, path: 'protocols[0].name' }),
    ]);
    (await session()).finish();
  });
});

describe('config', () => {
  test('is what the file says, and comes back as it is', async () => {
    const told = await site.get('/api/v1/config');
    expect(told.body).toEqual(readConfig());
    const put = await site.ask('PUT', '/api/v1/config', { body: told.body });
    expect(put).toMatchObject({ status: 200, body: { result: 'unchanged', persisted: false } });
  });

  test('is replaced as a whole: new sessions follow it, old ones go on', async () => {
    const old = await session();
    const { body, headers } = await site.get('/api/v1/config');
    const next = { ...body, upstreams: { cache: { endpoints: [two.target] } } };
    const put = await site.ask('PUT', '/api/v1/config', {
      body: next,
      headers: { 'if-match': headers.etag ?? '' },
    });
    expect(put.body).toMatchObject({ result: 'applied', persisted: false });
    expect(put.body.diff).toContainEqual(
      expect.objectContaining({ kind: 'endpoint', name: one.target, change: 'removed' }),
    );
    expect(await spread(4)).toEqual([two.target]);
    old.send('more');
    await old.bytes(redisPing.length + 4);
    old.finish();
    expect((await site.get('/api/v1/status')).body.generation).toBe(put.body.generation);
  });

  test('lasts until the file is read again', async () => {
    const { body } = await site.get('/api/v1/config');
    await site.ask('PUT', '/api/v1/config', {
      body: { ...body, routes: [{ when: { source: ['2001:db8::1'] }, to: 'reset' }] },
    });
    expect(readConfig().routes).toBeUndefined();
    const reloaded = await site.ask('POST', '/api/v1/reload');
    expect(reloaded.body).toMatchObject({ result: 'applied', persisted: true });
    expect((await site.get('/api/v1/config')).body).toEqual(body);
  });

  test('one with problems changes nothing, and all of them are said', async () => {
    const { body } = await site.get('/api/v1/config');
    const bad = {
      ...body,
      server: { ...body.server, workers: 0 },
      protocols: [{ name: 'Redis', target: 'cahe' }],
    };
    const { status, body: answer } = await site.ask('PUT', '/api/v1/config', { body: bad });
    expect(status).toBe(422);
    expect(answer.error.problems.map(({ path }: { path: string }) => path)).toEqual([
      'server.workers',
      'protocols[0].target',
    ]);
    expect((await site.get('/api/v1/config')).body).toEqual(body);
    expect((await spread(8)).length).toBe(2);
  });

  test('is not replaced by one who has seen another: If-Match', async () => {
    const first = await site.get('/api/v1/config');
    const change = (to: string) => ({ ...first.body, routes: [{ when: { source: ['192.0.2.1'] }, to }] });
    const headers = { 'if-match': first.headers.etag ?? '' };
    expect((await site.ask('PUT', '/api/v1/config', { body: change('reset'), headers })).status).toBe(200);
    const late = await site.ask('PUT', '/api/v1/config', { body: change('drop'), headers });
    expect(late).toMatchObject({ status: 412, body: { error: { code: 'changed_meanwhile' } } });
    expect((await site.get('/api/v1/config')).body.routes[0].to).toBe('reset');
    const any = { 'if-match': '*' };
    expect((await site.ask('PUT', '/api/v1/config', { body: change('drop'), headers: any })).status).toBe(
      200,
    );
  });

  test('of two at once, told by the same tag, one wins', async () => {
    const { body, headers } = await site.get('/api/v1/config');
    const put = (to: string) =>
      site.ask('PUT', '/api/v1/config', {
        body: { ...body, routes: [{ when: { source: ['192.0.2.1'] }, to }] },
        headers: { 'if-match': headers.etag ?? '' },
      });
    const answers = await Promise.all([put('reset'), put('drop'), put('close')]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 412, 412]);
  });

  test('a difference is told, and nothing is changed', async () => {
    const { body } = await site.get('/api/v1/config');
    const next = { ...body, protocols: [...body.protocols, { name: 'SSH', target: one.target }] };
    const diff = await site.ask('POST', '/api/v1/config/diff', { body: next });
    expect(diff.status).toBe(200);
    expect(diff.body.items).toContainEqual(
      expect.objectContaining({ kind: 'protocol', name: 'SSH', change: 'added' }),
    );
    expect((await site.get('/api/v1/config')).body).toEqual(body);
    expect((await site.ask('POST', '/api/v1/config/diff', { body })).body).toEqual({ items: [] });
    const bad = await site.ask('POST', '/api/v1/config/diff', { body: { servr: {} } });
    expect(bad).toMatchObject({ status: 422, body: { error: { code: 'invalid_config', path: 'servr' } } });
  });
});

describe('protocols', () => {
  test('are listed in rank order, with their signature in words', async () => {
    const custom = {
      name: 'Own',
      target: one.target,
      priority: 1,
      start_bytes: ['aa55'],
      offset: 2,
      min_bytes: 8,
    };
    await site.ask('POST', '/api/v1/protocols', { body: custom });
    expect((await site.get('/api/v1/protocols')).body.protocols).toEqual([
      {
        name: 'Own',
        id: 'own',
        rank: 1,
        priority: 1,
        builtIn: false,
        target: 'Own',
        signature: 'aa55 at offset 2; 8 bytes or more',
        from: 'the control interface',
      },
      expect.objectContaining({
        name: 'Redis',
        id: 'redis',
        rank: 2,
        priority: null,
        builtIn: true,
        target: 'cache',
        from: inFile('{\n      "name": "Redis"'),
      }),
    ]);
    expect((await site.get('/api/v1/routes')).body.routes).toEqual([
      { name: 'protocols.Own', target: 'Own', from: 'the control interface' },
      { name: 'protocols.Redis', target: 'cache', from: inFile('{\n      "name": "Redis"') },
    ]);
    const counts = { upstream: 0, protocol: 1, route: 0, forward: 0 };
    expect((await site.get('/api/v1/status')).body.saidBy).toEqual([
      { source: configFile(), counts: { ...counts, upstream: 1 }, endpoints: 0 },
      { source: 'the control interface', counts, endpoints: 0 },
    ]);
  });

  test('one is added, changed and removed while sessions go on', async () => {
    const redis = await session();
    const added = await site.ask('POST', '/api/v1/protocols', { body: { name: 'SSH', target: one.target } });
    expect(added).toMatchObject({ status: 201, headers: { location: '/api/v1/protocols/SSH' } });
    expect(added.body).toMatchObject({ result: 'applied', persisted: false });
    const first = one.peers.length;
    (await session(sshBanner)).finish();
    expect(one.peers.length).toBe(first + 1);

    const changed = await site.ask('PATCH', '/api/v1/protocols/ssh', { body: { target: two.target } });
    expect(changed.body.result).toBe('applied');
    const ssh = await session(sshBanner);
    expect(one.peers.length).toBe(first + 1);

    expect((await site.ask('DELETE', '/api/v1/protocols/SSH')).body.result).toBe('applied');
    const refused = (await dial(daemon.port)).send(sshBanner);
    await refused.end();
    expect((await daemon.sessionOf(refused)).reason).toBe('no_route');
    for (const client of [ssh, redis]) {
      const had = client.length;
      client.send('more');
      await client.bytes(had + 4);
      client.finish();
    }
  });

  test('one that is there is not added again; PUT replaces it', async () => {
    const body = { name: 'redis', target: one.target };
    expect(await site.ask('POST', '/api/v1/protocols', { body })).toMatchObject({
      status: 409,
      body: { error: { code: 'exists', path: 'name' } },
    });
    expect((await site.ask('PUT', '/api/v1/protocols/REDIS', { body })).status).toBe(200);
    expect((await site.get('/api/v1/protocols/Redis')).body.target).toBe('redis');
  });

  test('one that can not be is refused with its place, and the others stay', async () => {
    const body = { name: 'SSH', target: one.target, prioirty: 1 };
    const { status, body: answer } = await site.ask('POST', '/api/v1/protocols', { body });
    expect(status).toBe(422);
    expect(answer.error).toMatchObject({
      path: 'protocols[1].prioirty',
      message: expect.stringContaining('priority'),
    });
    expect((await site.get('/api/v1/protocols')).body.protocols).toHaveLength(1);
  });

  test.each(['GET', 'DELETE', 'PUT', 'PATCH'])('%s of one that is not there', async (method) => {
    const body = { name: 'SSH', target: 'cache' };
    const told = await site.ask(method, '/api/v1/protocols/SSH', /^P/.test(method) ? { body } : {});
    expect(told).toMatchObject({ status: 404, body: { error: { code: 'not_found' } } });
  });
});

describe('upstreams', () => {
  const endpoints = async () => (await site.get('/api/v1/upstreams/cache')).body.endpoints;

  const unchecked = {
    check: null,
    since: null,
    lastCheck: null,
    ejectedUntil: null,
    asks: 'ready',
    sharePercent: 100,
  };

  test('have endpoints with addresses, weight, state and sessions', async () => {
    const { clients, onOne, onTwo } = await sessionsOnBoth();
    expect((await site.get('/api/v1/upstreams')).body.upstreams).toEqual([
      {
        name: 'cache',
        handler: null,
        balance: 'round_robin',
        from: inFile('"cache": {'),
        endpoints: [
          {
            name: one.target,
            from: inFile('"cache": {'),
            addresses: [one.target],
            weight: 1,
            configuredWeight: 1,
            backup: false,
            state: 'up',
            up: true,
            why: null,
            health: unchecked,
            sessions: onOne,
          },
          {
            name: two.target,
            from: inFile('"cache": {'),
            addresses: [two.target],
            weight: 3,
            configuredWeight: 3,
            backup: false,
            state: 'up',
            up: true,
            why: null,
            health: unchecked,
            sessions: onTwo,
          },
        ],
      },
    ]);
    for (const client of clients) client.finish();
  });

  test('a drained endpoint gets no new session and keeps those it has; up again, it gets some', async () => {
    expect(await spread(8)).toEqual([one.target, two.target]);
    const { clients, onOne } = await sessionsOnBoth();
    const told = await set(one.target, { state: 'drain' });
    await eventually('its line', () =>
      daemon.lines.find(
        (line) => line.msg === 'endpoint set' && line.endpoint === one.target && line.state === 'drain',
      ),
    );
    expect(told.body).toMatchObject({
      upstream: 'cache',
      endpoint: { name: one.target, state: 'drain' },
      persisted: false,
    });
    expect(await spread(8)).toEqual([two.target]);
    for (const client of clients) {
      client.send('more');
      await client.bytes(redisPing.length + 4);
    }
    expect((await endpoints())[0].sessions).toBe(onOne);
    expect(await daemon.metric('anyport_endpoint_up', { endpoint: one.target })).toBe(1);
    await set(one.target, { state: 'up' });
    expect(await spread(8)).toEqual([one.target, two.target]);
    for (const client of clients) client.finish();
  });

  test('down is shown as down; with all down there is no endpoint', async () => {
    expect(await daemon.metric('anyport_endpoint_up')).toBe(2);
    await set(one.target, { state: 'down' });
    expect(await daemon.metric('anyport_endpoint_up', { endpoint: one.target })).toBe(0);
    expect(await daemon.metric('anyport_endpoint_up', { endpoint: two.target })).toBe(1);
    expect(await spread(4)).toEqual([two.target]);
    await set(two.target, { state: 'drain' });
    const client = (await dial(daemon.port)).send(redisPing);
    await client.end();
    expect(await daemon.sessionOf(client)).toMatchObject({ reason: 'no_endpoint', during: 'pick' });
  });

  test('what is set survives a reload, and null sets the weight back', async () => {
    await set(two.target, { weight: 9, state: 'drain' });
    const file = readConfig();
    file.upstreams.cache.endpoints[1].weight = 5;
    writeFileSync(configFile(), JSON.stringify(file));
    expect((await site.ask('POST', '/api/v1/reload')).body.result).toBe('applied');
    expect((await endpoints())[1]).toMatchObject({ weight: 9, configuredWeight: 5, state: 'drain' });
    expect(await spread(4)).toEqual([one.target]);
    await set(two.target, { weight: null });
    expect((await endpoints())[1]).toMatchObject({ weight: 5, state: 'drain' });
  });

  test('an endpoint that goes and comes back is as configured', async () => {
    await set(two.target, { state: 'down' });
    const file = readConfig();
    const without = structuredClone(file);
    without.upstreams.cache.endpoints.pop();
    for (const next of [without, file]) {
      writeFileSync(configFile(), JSON.stringify(next));
      expect((await site.ask('POST', '/api/v1/reload')).body.result).toBe('applied');
    }
    expect((await endpoints())[1].state).toBe('up');
  });

  test.each([
    { body: {}, path: undefined, says: 'needs one of weight, state' },
    { body: { state: 'gone' }, path: 'state', says: 'expected one of up, drain, down' },
    { body: { weight: -1 }, path: 'weight', says: 'of 0 to 256' },
    { body: { weight: 257 }, path: 'weight', says: 'of 0 to 256' },
    { body: { weight: '3' }, path: 'weight', says: 'expected integer' },
    { body: { wight: 3 }, path: 'wight', says: 'is not known here; there is weight, state' },
    { body: [], path: undefined, says: 'expected object' },
  ])('$body is refused', async ({ body, path, says }) => {
    const told = await set(one.target, body);
    expect(told.status).toBe(422);
    expect(told.body.error).toEqual({
      code: 'invalid',
      message: expect.stringContaining(says),
      ...(path && { path }),
    });
  });

  test.each([
    { path: '/api/v1/upstreams/cach/endpoints/x', says: 'no upstream is called "cach"' },
    { path: '/api/v1/upstreams/cache/endpoints/x', says: 'has no endpoint "x"; it has 127.0.0.1:' },
  ])('$path is not there', async ({ path, says }) => {
    const told = await site.ask('PATCH', path, { body: { weight: 2 } });
    expect(told.status).toBe(404);
    expect(told.body.error.message).toContain(says);
  });
});

describe('sessions', () => {
  test('are listed as they are, and found by what they are', async () => {
    const clients = await Promise.all([session(), session(), session()]);
    const [first] = clients;
    const all = await site.get('/api/v1/sessions?protocol=redis&order=oldest');
    expect(all.body).toMatchObject({ matching: 3, missing: [] });
    expect(all.body.sessions[0]).toMatchObject({
      listener: `127.0.0.1:${daemon.port}`,
      protocol: 'redis',
      stage: 'relay',
      route: 'protocols.Redis',
      upstream: 'cache',
      bytesUp: redisPing.length,
      bytesDown: redisPing.length,
    });
    const sources = all.body.sessions.map(({ source }: { source: string }) => source);
    expect(new Set(sources)).toEqual(new Set(clients.map(({ address }) => address)));
    expect((await site.get('/api/v1/sessions?limit=1')).body).toMatchObject({ matching: 3, sessions: [{}] });
    const at = encodeURIComponent(one.target);
    const there = await site.get(`/api/v1/sessions?endpoint=${at}&upstream=cache&source=127.0.0.1`);
    expect(there.body.sessions.every(({ endpoint }: { endpoint: string }) => endpoint === one.target)).toBe(
      true,
    );
    expect((await site.get('/api/v1/sessions?source=10.0.0.0/8')).body.matching).toBe(0);
    for (const client of clients) client.finish();
    await first?.end();
  });

  test('one is ended: the client sees it, the log says who, and it is gone', async () => {
    const [client, other] = [await session(), await session()];
    const { body } = await site.get('/api/v1/sessions');
    const { id } = body.sessions.find(({ source }: { source: string }) => source === client.address);
    expect((await site.ask('DELETE', `/api/v1/sessions/${id}`)).body).toEqual({ id, ended: true });
    await client.end();
    expect(await daemon.sessionOf(client)).toMatchObject({ by: 'admin', reason: 'admin' });
    const again = await site.ask('DELETE', `/api/v1/sessions/${id}`);
    expect(again).toMatchObject({ status: 404, body: { error: { code: 'not_found' } } });
    other.send('more');
    await other.bytes(redisPing.length + 4);
    other.finish();
  });

  test('a difference says how many each change touches', async () => {
    const { clients, onOne } = await sessionsOnBoth();
    const { body } = await site.get('/api/v1/config');
    const next = { ...body, upstreams: { cache: { endpoints: [two.target], balance: 'random_two' } } };
    const { items } = (await site.ask('POST', '/api/v1/config/diff', { body: next })).body;
    const touched = ({ kind, name }: { kind: string; name: string }) =>
      items.find((item: { kind: string; name: string }) => item.kind === kind && item.name === name)
        ?.sessions;
    expect(touched({ kind: 'upstream', name: 'cache' })).toBe(clients.length);
    expect(touched({ kind: 'endpoint', name: one.target })).toBe(onOne);
    for (const client of clients) client.finish();
  });

  test.each([
    { query: 'limit=0', path: 'limit' },
    { query: 'limit=1001', path: 'limit' },
    { query: 'limit=x', path: 'limit' },
    { query: 'limit=1&limit=2', path: 'limit' },
    { query: 'order=best', path: 'order' },
    { query: 'source=nobody', path: 'source' },
    { query: 'protocl=redis', path: 'protocl' },
  ])('?$query is refused', async ({ query, path }) => {
    const told = await site.get(`/api/v1/sessions?${query}`);
    expect(told).toMatchObject({ status: 400, body: { error: { code: 'bad_request', path } } });
  });

  test.each(['0-0-0', '99-0-1', 'x', '0-1', '0-99999999999-1', '%00'])(
    'no session is called %s',
    async (id) => {
      expect((await site.ask('DELETE', `/api/v1/sessions/${id}`)).status).toBe(404);
    },
  );
});

describe('drain', () => {
  test('not ready at once, no new sessions; those that are open finish, then it ends', async () => {
    const { daemon: own, site: there } = await startControlled({
      server: { graceful_shutdown_timeout: '60s', drain_delay: '300ms' },
      protocols: [{ name: 'Redis', target: one.target }],
    });
    const client = await session(redisPing, own.port);
    const told = await there.ask('POST', '/api/v1/drain');
    expect(told).toMatchObject({ status: 202, body: { sessions: 1, delayMs: 300, deadlineMs: 60_000 } });
    expect((await there.get('/health/ready')).status).toBe(503);
    expect((await there.ask('POST', '/api/v1/drain')).status).toBe(202);
    expect((await there.get('/api/v1/status')).body).toMatchObject({
      status: 'draining',
      drain: { sessions: 1 },
    });
    const refused = await there.ask('PUT', '/api/v1/config', {
      body: (await there.get('/api/v1/config')).body,
    });
    expect(refused).toMatchObject({ status: 503, body: { error: { code: 'shutting_down' } } });
    client.send('more');
    await client.bytes(redisPing.length + 4);
    client.finish();
    expect(await own.exit()).toBe(0);
    expect(own.sessions.map(({ reason }) => reason)).toEqual(['done']);
    own.folder.remove();
  });
});

describe('errors', () => {
  const cases = [
    { method: 'GET', path: '/api/v2/status', status: 404, code: 'not_found' },
    { method: 'GET', path: '/api/v1/protocols/%zz', status: 400, code: 'bad_request' },
    { method: 'POST', path: '/api/v1/status', status: 405, code: 'method_not_allowed', allow: 'GET, HEAD' },
    {
      method: 'DELETE',
      path: '/api/v1/config',
      status: 405,
      code: 'method_not_allowed',
      allow: 'GET, HEAD, PUT',
    },
    { method: 'GET', path: '/api/v1/status?x=1', status: 400, code: 'bad_request', of: 'x' },
    { method: 'PUT', path: '/api/v1/config', body: Buffer.from('{'), status: 400, code: 'bad_json' },
    {
      method: 'PUT',
      path: '/api/v1/config',
      body: Buffer.from([0x22, 0xff, 0x22]),
      status: 400,
      code: 'bad_json',
    },
    { method: 'PUT', path: '/api/v1/config', body: [], status: 422, code: 'invalid' },
    {
      method: 'PUT',
      path: '/api/v1/config',
      body: {},
      headers: { 'content-type': 'text/plain' },
      status: 415,
      code: 'not_json',
    },
    { method: 'GET', path: '/', headers: { host: 'evil.example' }, status: 403, code: 'foreign_host' },
    {
      method: 'POST',
      path: '/api/v1/reload',
      headers: { origin: 'http://evil.example' },
      status: 403,
      code: 'foreign_origin',
    },
  ];

  test.each(cases)(
    '$method $path: $status $code',
    async ({ method, path, body, headers, status, code, allow, of }) => {
      const told = await site.ask(method, path, { ...(body && { body }), ...(headers && { headers }) });
      expect(told.status).toBe(status);
      expect(told.body.error).toMatchObject({ code, ...(of && { path: of }) });
      expect(told.headers.allow).toBe(allow);
      expect(told.headers).toMatchObject({
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      });
    },
  );
});

test('every operation of the OpenAPI document answers as described', async () => {
  const { body: document } = await site.get('/api/v1/openapi.json');
  const config = (await site.get('/api/v1/config')).body;
  const ssh = { name: 'SSH', target: one.target };
  const requests: Record<string, () => Promise<unknown>> = {
    getIndex: () => site.get('/'),
    getOpenApi: () => site.get('/api/v1/openapi.json'),
    getStatus: () => site.get('/api/v1/status'),
    getConfig: () => site.get('/api/v1/config'),
    putConfig: () => site.ask('PUT', '/api/v1/config', { body: config }),
    diffConfig: () => site.ask('POST', '/api/v1/config/diff', { body: config }),
    reload: () => site.ask('POST', '/api/v1/reload'),
    listProtocols: () => site.get('/api/v1/protocols'),
    getProtocol: () => site.get('/api/v1/protocols/redis'),
    addProtocol: () => site.ask('POST', '/api/v1/protocols', { body: ssh }),
    replaceProtocol: () => site.ask('PUT', '/api/v1/protocols/SSH', { body: ssh }),
    changeProtocol: () => site.ask('PATCH', '/api/v1/protocols/SSH', { body: { target: two.target } }),
    removeProtocol: () => site.ask('DELETE', '/api/v1/protocols/SSH'),
    listRoutes: () => site.get('/api/v1/routes'),
    listUpstreams: () => site.get('/api/v1/upstreams'),
    getUpstream: () => site.get('/api/v1/upstreams/cache'),
    setEndpoint: () =>
      site.ask('PATCH', `/api/v1/upstreams/cache/endpoints/${one.target}`, { body: { state: 'drain' } }),
    drain: async () => {
      const other = await start();
      await other.site.ask('POST', '/api/v1/drain');
      expect(await other.daemon.exit()).toBe(0);
      other.daemon.folder.remove();
    },
    listSessions: () => site.get('/api/v1/sessions?limit=5&order=oldest&protocol=redis&source=127.0.0.0/8'),
    listKcpSessions: () => site.get('/api/v1/kcp/sessions?limit=5'),
    endSession: async () => {
      const client = await session();
      const { body } = await site.get('/api/v1/sessions?limit=1');
      await site.ask('DELETE', `/api/v1/sessions/${body.sessions[0].id}`);
      await client.end();
    },
    listBans: () => site.get('/api/v1/bans?limit=5'),
    addBan: () =>
      site.ask('POST', '/api/v1/bans', { body: { ip: '192.0.2.7', for: '1m', reason: 'a test' } }),
    liftBan: () => site.ask('DELETE', '/api/v1/bans/192.0.2.7'),
    getMetrics: () => site.get('/metrics'),
    getLiveness: () => site.get('/health/live'),
    getReadiness: () => site.get('/health/ready'),
  };
  const operations = Object.entries(
    document.paths as Record<string, Record<string, { operationId: string }>>,
  ).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId }]) => ({
      operationId,
      name: `${method.toUpperCase()} ${path}`,
    })),
  );
  expect(new Set(operations.map(({ operationId }) => operationId))).toEqual(new Set(Object.keys(requests)));
  answersSeen.clear();
  for (const send of Object.values(requests)) await send();
  const good = [...answersSeen]
    .filter((seen) => / 2\d\d$/.test(seen))
    .map((seen) => seen.replace(/ \d+$/, ''));
  expect(new Set(good)).toEqual(new Set(operations.map(({ name }) => name)));
});

/** Which endpoint a session goes to, over two workers, while sessions come and operators change things. */
import { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Backend, ping, startBackend } from '../support/backends.js';
import { type ControlSite, startControlled } from '../support/control.js';
import type { Daemon, TestConfig } from '../support/daemon.js';
import { freePort } from '../support/ports.js';
import { dial, type Peer } from '../support/tcp.js';
import { eventually, within } from '../support/wait.js';

const NAMES = ['a', 'b', 'c'] as const;
type Name = (typeof NAMES)[number];
/** Parts of all sessions. */
type Shares = Readonly<Record<Name, number>>;

let backends: Readonly<Record<Name, Backend>>;
let daemon: Daemon;
let site: ControlSite;
/** Of the control interface. */
let controlPort: number;

const target = (name: Name): string => backends[name].target;

beforeEach(async () => {
  const [a, b, c] = await Promise.all([startBackend('a'), startBackend('b'), startBackend('c')]);
  backends = { a, b, c };
});

afterEach(async () => {
  await daemon.stop();
  for (const backend of Object.values(backends)) backend.kill();
});

async function start(config: TestConfig): Promise<void> {
  const started = await startControlled({ ...config, server: { workers: 2 } });
  ({ daemon, site, port: controlPort } = started);
}

const cache = (options: object, endpoints: readonly unknown[] = NAMES.map(target)): TestConfig => ({
  protocols: [{ name: 'Redis', target: 'cache' }],
  upstreams: { cache: { endpoints, ...options } },
});

async function set(name: Name, body: { readonly weight?: number; readonly state?: string }): Promise<void> {
  const path = `/api/v1/upstreams/cache/endpoints/${target(name)}`;
  expect((await site.ask('PATCH', path, { body })).status).toBe(200);
}

const isUp = (name: Name, wanted: boolean) =>
  eventually(`${name} to be ${wanted ? 'up' : 'down'}`, async () => {
    const { body } = await site.get('/api/v1/upstreams/cache');
    return body.endpoints.find((each: { name: string }) => each.name === target(name)).up === wanted;
  });

/** Sends `parts` one after the other, and waits for one more answer. Returns who gave it. */
async function answerTo(client: Peer, ...parts: readonly (Uint8Array | string)[]): Promise<string> {
  const before = client.length;
  const [first = '', ...rest] = parts;
  client.send(first);
  for (const part of rest) {
    await sleep(20);
    client.send(part);
  }
  const came = new Promise((resolve) => {
    if (client.length > before) resolve(null);
    client.socket.once('data', resolve);
    void client.ended.then(resolve);
  });
  await within('an answer, or the end', came);
  return /\+(.*)\r\n$/.exec(client.received.subarray(before).toString())?.[1] ?? 'failed';
}

interface Asking {
  readonly port?: number;
  readonly from?: string;
}

async function ask(parts: readonly (Uint8Array | string)[] = [ping], { port, from }: Asking = {}) {
  const client = await dial(port ?? daemon.port, from);
  try {
    return await answerTo(client, ...parts);
  } finally {
    client.reset();
  }
}

const isName = (text: string): text is Name => NAMES.some((name) => name === text);

/** Short sessions from several clients, all the time. */
class Load {
  /** By who answered, of sessions that began since `count` was called. */
  #counts: Record<Name, number> = { a: 0, b: 0, c: 0 };
  readonly #over = new AbortController();
  readonly failures: string[] = [];
  readonly #running = Promise.all(Array.from({ length: 4 }, () => this.#run()));

  /** Answers of the next `sessions` sessions or a few more, as parts of their number. */
  async shares(sessions: number): Promise<Shares> {
    const counts = { a: 0, b: 0, c: 0 };
    this.#counts = counts;
    const total = () => counts.a + counts.b + counts.c;
    await eventually(`${sessions} sessions`, () => total() >= sessions);
    const all = total();
    return { a: counts.a / all, b: counts.b / all, c: counts.c / all };
  }

  async stop(): Promise<void> {
    this.#over.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#over.signal.aborted) {
      const counts = this.#counts;
      const name = await ask().catch((error: Error) => `failed: ${error.message}`);
      if (isName(name)) counts[name] += 1;
      else this.failures.push(name);
    }
  }
}

async function underLoad(what: (load: Load) => Promise<void>): Promise<void> {
  const load = new Load();
  try {
    await what(load);
  } finally {
    await load.stop();
  }
  expect(load.failures).toEqual([]);
}

/** Within a few per cent. */
function expectShares(shares: Shares, due: Partial<Shares>): void {
  for (const name of NAMES) {
    const wanted = due[name] ?? 0;
    const off = wanted === 0 || wanted === 1 ? 0 : 0.04;
    expect(Math.abs(shares[name] - wanted), `${name} of ${JSON.stringify(shares)}`).toBeLessThanOrEqual(off);
  }
}

describe('under load', () => {
  test('shares follow the weights that an operator sets, and no session fails', async () => {
    const endpoints = [
      { address: target('a'), weight: 1 },
      { address: target('b'), weight: 1 },
      { address: target('c'), weight: 2 },
    ];
    await start(cache({ balance: 'weighted_round_robin' }, endpoints));
    await underLoad(async (load) => {
      expectShares(await load.shares(300), { a: 0.25, b: 0.25, c: 0.5 });
      await set('a', { weight: 5 });
      expectShares(await load.shares(300), { a: 5 / 8, b: 1 / 8, c: 2 / 8 });
      await set('a', { weight: 1 });
      await set('c', { weight: 8 });
      expectShares(await load.shares(300), { a: 0.1, b: 0.1, c: 0.8 });
    });
  });

  test('weight 0 and drain: no new session, and those that are there go on', async () => {
    await start(cache({}));
    const held = new Map<string, Peer>();
    while (held.size < NAMES.length) {
      const client = await dial(daemon.port);
      held.set(await answerTo(client, ping), client);
    }
    await underLoad(async (load) => {
      await set('a', { weight: 0 });
      expectShares(await load.shares(100), { a: 0, b: 0.5, c: 0.5 });
      await set('b', { state: 'drain' });
      expectShares(await load.shares(100), { c: 1 });
      for (const [name, client] of held) expect(await answerTo(client, ping)).toBe(name);
      await set('a', { weight: 1 });
      await set('b', { state: 'up' });
      expectShares(await load.shares(200), { a: 1 / 3, b: 1 / 3, c: 1 / 3 });
    });
    for (const client of held.values()) client.reset();
  });

  test('a backup takes sessions while no other endpoint does', async () => {
    await start(cache({}, [target('a'), target('b'), { address: target('c'), backup: true }]));
    await underLoad(async (load) => {
      expectShares(await load.shares(100), { a: 0.5, b: 0.5, c: 0 });
      await set('a', { state: 'drain' });
      expectShares(await load.shares(100), { b: 1 });
      await set('b', { weight: 0 });
      expectShares(await load.shares(100), { c: 1 });
      await set('a', { state: 'up' });
      expectShares(await load.shares(100), { a: 1 });
    });
  });

  test('slow_start: the share of an endpoint that comes back rises', async () => {
    const LASTS_MS = 10_000;
    /** Of sessions, beside one that has its whole weight: a twentieth of it at first, then in proportion. */
    const mostAfter = (ms: number): number => {
      const part = Math.min(Math.max(ms / LASTS_MS, 1 / 20), 1);
      return part / (1 + part);
    };
    await start(cache({ slow_start: `${LASTS_MS}ms` }, [target('a'), target('b')]));
    await underLoad(async (load) => {
      expectShares(await load.shares(100), { a: 0.5, b: 0.5 });
      await set('a', { state: 'drain' });
      expectShares(await load.shares(50), { b: 1 });
      const sinceMs = performance.now();
      await set('a', { state: 'up' });
      await eventually('its whole share', async () => {
        const share = (await load.shares(50)).a;
        expect(share).toBeLessThanOrEqual(mostAfter(performance.now() - sinceMs) + 0.08);
        return share > 0.47;
      });
    });
  });
});

test('a backup also steps in for endpoints that are killed, until their check brings them back', async () => {
  const health_check = { type: 'tcp', interval: '200ms', fall: 1, rise: 1 };
  await start(cache({ health_check }, [target('a'), { address: target('b'), backup: true }]));
  expect(await ask()).toBe('a');
  backends.a.kill();
  expect(await ask(), 'before the check knows').toBe('b');
  await isUp('a', false);
  expect(await ask()).toBe('b');
  await backends.a.start();
  await isUp('a', true);
  expect(await ask()).toBe('a');
});

describe('affinity', () => {
  const clients = Array.from({ length: 12 }, (_, index) => `127.0.1.${index + 1}`);
  const health_check = { type: 'tcp', interval: '200ms', fall: 1, rise: 1 };

  /** By client, who answers all of its sessions; a few each, so that both workers have some. */
  async function homes(sessions = 4): Promise<Record<string, string>> {
    const found = clients.map(async (from) => {
      const names = new Set<string>();
      for (let count = 0; count < sessions; count++) names.add(await ask([ping], { from }));
      return [from, [...names].join()] as const;
    });
    return Object.fromEntries(await Promise.all(found));
  }

  test('a client keeps its endpoint in both workers, over reloads, and again after an outage', async () => {
    const options = { affinity: 'source', health_check };
    await start(cache(options));
    const home = await homes();
    expect(new Set(Object.values(home))).toEqual(new Set(NAMES));
    const workers = new Set((await daemon.ended(40)).map(({ worker }) => worker));
    expect(workers.size, 'both workers had sessions').toBe(2);

    const turned = [{ address: target('c'), weight: 3 }, target('b'), target('a')];
    const admin = { listen: `127.0.0.1:${controlPort}` };
    const next = { ...cache(options, turned), admin, server: { workers: 2 } };
    expect((await daemon.reload(next)).msg).toBe('reloaded');
    expect(await homes()).toEqual(home);

    backends.b.kill();
    await isUp('b', false);
    const away = await homes(2);
    for (const from of clients) {
      if (home[from] === 'b') expect(['a', 'c']).toContain(away[from]?.split(',')[0]);
      else expect(away[from], 'nobody else moves').toBe(home[from]);
    }
    await backends.b.start();
    await isUp('b', true);
    expect(await homes()).toEqual(home);
  });

  test('who is drained loses clients for good', async () => {
    await start(cache({ affinity: 'source' }));
    const home = await homes();
    await set('b', { state: 'drain' });
    const moved = await homes();
    expect(Object.values(moved)).not.toContain('b');
    await set('b', { state: 'up' });
    expect(await homes()).toEqual(moved);
    for (const from of clients) if (home[from] !== 'b') expect(moved[from]).toBe(home[from]);
  });
});

/** What Node's TLS client says first. */
const realHello = (servername: string): Promise<Buffer> =>
  new Promise((resolve) => {
    const socket = new Duplex({
      read() {},
      write(chunk, _, done) {
        resolve(chunk);
        done();
      },
    });
    connectTls({ socket, servername }).on('error', () => {});
  });

function mqttConnect(clientId: string): Buffer {
  const id = Buffer.from(clientId);
  const body = Buffer.from([0, 4, ...Buffer.from('MQTT'), 4, 2, 0, 60, 0, id.length, ...id]);
  return Buffer.from([0x10, body.length, ...body]);
}

describe('hash_key', () => {
  const keys = [
    { key: 'sni', opening: realHello },
    { key: 'host', opening: async (name: string) => Buffer.from(`GET / HTTP/1.1\r\nHost: ${name}\r\n\r\n`) },
    { key: 'client_id', opening: async (name: string) => mqttConnect(name) },
  ];
  const sources = ['127.0.1.1', '127.0.2.2', '127.0.3.3'];
  const names = Array.from({ length: 10 }, (_, index) => `n${index}.example`);

  test.each(keys)(
    '$key: one endpoint from any address, whole or in pieces, by any route',
    async ({ key, opening }) => {
      const early = await freePort();
      const front = await freePort();
      await start({
        listeners: [
          { name: 'front', address: `127.0.0.1:${front}` },
          { name: 'early', address: `127.0.0.1:${early}` },
        ],
        // Its conditions are decided at accept, its endpoint is not.
        routes: [{ when: { listener: 'early' }, to: 'keyed' }],
        protocols: ['TLS', 'HTTP', 'MQTT'].map((name) => ({ name, target: 'keyed' })),
        upstreams: { keyed: { endpoints: NAMES.map(target), balance: 'consistent_hash', hash_key: key } },
      });
      const found = names.map(async (name) => {
        const bytes = await opening(name);
        const pieces = [bytes.subarray(0, 14), bytes.subarray(14)];
        const answers = sources.flatMap((from) => [
          ask([bytes], { from, port: front }),
          ask([bytes], { from, port: early }),
          ask(pieces, { from, port: early }),
        ]);
        return [...new Set(await Promise.all(answers))];
      });
      const homes = await Promise.all(found);
      for (const home of homes) expect(home).toHaveLength(1);
      const used = new Set(homes.flat());
      expect(used).not.toContain('failed');
      expect(used.size, 'names spread').toBeGreaterThan(1);
    },
  );
});

test('least_connections: long sessions of two workers are even within two', async () => {
  await start(cache({ balance: 'least_connections' }));
  const clients: { readonly name: string; readonly peer: Peer }[] = [];
  const open = async () => {
    const peer = await dial(daemon.port);
    clients.push({ name: await answerTo(peer, ping), peer });
  };
  const counts = () => NAMES.map((name) => clients.filter((client) => client.name === name).length);
  for (let round = 0; round < 15; round++) await Promise.all([open(), open()]);
  expect(Math.max(...counts()) - Math.min(...counts())).toBeLessThanOrEqual(2);
  // All that `a` has leave: it gets as many again.
  const leaving = clients.filter(({ name }) => name === 'a');
  for (const client of leaving) {
    client.peer.reset();
    clients.splice(clients.indexOf(client), 1);
  }
  const ended = await daemon.ended(leaving.length);
  expect(new Set(ended.map(({ worker }) => worker)).size, 'both workers had some').toBe(2);
  for (let round = 0; round < leaving.length; round++) await open();
  expect(Math.max(...counts()) - Math.min(...counts())).toBeLessThanOrEqual(2);
  for (const { peer } of clients) peer.reset();
});

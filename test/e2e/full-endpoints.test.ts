/**
 * What users of nginx (`max_conns`, `backup`, `down`) and HAProxy (`maxconn` with a hash, `observe`) expect of endpoints that
 * are full, refuse, or stand in for others: with every strategy. One daemon for all; each case has its own listener.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { strategyNames } from '../../src/upstream/balance/index.js';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { freePort } from '../support/ports.js';
import { dial, listenTcp, type Peer, type Upstream } from '../support/tcp.js';
import { eventually } from '../support/wait.js';

interface Case {
  readonly why: string;
  readonly options: object;
  /** Of the endpoints, in their order; `refuses`: nobody listens there. */
  readonly endpoints: readonly {
    readonly weight?: number;
    readonly backup?: boolean;
    readonly refuses?: true;
  }[];
  /** Endpoint of each session, one after the other, all of them open; null: it is turned away. */
  readonly served: readonly (number | null)[];
  /** The order is that of a strategy. */
  readonly anyOrder?: true;
}

const each = (make: (balance: string) => Case): Case[] => strategyNames.map(make);

const cases: Case[] = [
  ...each((balance) => ({
    why: `${balance}: as many as there are places, and no more`,
    options: { balance, max_connections: 2 },
    endpoints: [{}, {}],
    served: [0, 0, 1, 1, null],
    anyOrder: true,
  })),
  ...each((balance) => ({
    why: `${balance}: a weight is no place`,
    options: { balance, max_connections: 1 },
    endpoints: [{ weight: 100 }, {}, {}],
    served: [0, 1, 2, null],
    anyOrder: true,
  })),
  ...each((balance) => ({
    why: `${balance}: a backup stands in for those that are full, as far as it has places itself`,
    options: { balance, max_connections: 2 },
    endpoints: [{}, { backup: true }],
    served: [0, 0, 1, 1, null],
  })),
  ...each((balance) => ({
    why: `${balance}: one refuses, one has no weight`,
    options: { balance },
    endpoints: [{ refuses: true }, { weight: 0 }, {}],
    served: [2, 2, 2, 2, 2, 2],
  })),
  {
    why: 'a backup of no weight is none',
    options: { max_connections: 1 },
    endpoints: [{}, { backup: true, weight: 0 }],
    served: [0, null],
  },
  {
    why: 'a backup is asked before anybody waits',
    options: { max_connections: 1, queue: { length: 1, timeout: '60s' } },
    endpoints: [{}, { backup: true }],
    served: [0, 1],
  },
  {
    why: 'without retries the one that refuses is the answer',
    options: { retries: 0 },
    endpoints: [{ refuses: true }, { backup: true }],
    served: [null],
  },
];

let daemon: Daemon;
let shared: Upstream;
const servers: Upstream[] = [];
/** By case: its endpoints, and the port of its listener. */
let stages: { readonly endpoints: readonly (Upstream | null)[]; readonly port: number }[];
/** Listeners of the other tests. */
const ports = { sticky: 0, left: 0, right: 0, watched: 0 };
let sticky: readonly Upstream[];
let watched: readonly Upstream[];

const greeting = (peer: Peer): void => {
  peer.send('hello');
};

async function server(serve: (peer: Peer) => void = greeting): Promise<Upstream> {
  const started = await listenTcp(serve);
  servers.push(started);
  return started;
}

async function stageOf({ endpoints }: Case) {
  const upstreams = await Promise.all(endpoints.map(({ refuses }) => (refuses ? null : server())));
  return { endpoints: upstreams, port: await freePort() };
}

beforeAll(async () => {
  stages = [];
  for (const one of cases) stages.push(await stageOf(one));
  shared = await server();
  sticky = [await server(), await server()];
  // The first takes a request and resets without a word.
  watched = [await server((peer) => void peer.socket.once('data', () => peer.reset())), await server()];
  for (const name of Object.keys(ports) as (keyof typeof ports)[]) ports[name] = await freePort();
  const refusing = await freePort();
  const upstreams = Object.fromEntries(
    cases.map(({ endpoints, options }, index) => [
      `case${index}`,
      {
        ...options,
        endpoints: endpoints.map(({ refuses: _, ...rest }, at) => ({
          address: stages[index]?.endpoints[at]?.target ?? `127.0.0.1:${refusing}`,
          ...rest,
        })),
      },
    ]),
  );
  const targets = (of: readonly Upstream[]) => of.map(({ target }) => target);
  const others = {
    sticky: { endpoints: targets(sticky), affinity: 'source', max_connections: 1 },
    left: { endpoints: [shared.target], max_connections: 1 },
    right: { endpoints: [shared.target], max_connections: 1 },
    watched: {
      endpoints: targets(watched),
      passive_health: { max_fails: 2, window: '60s', eject: '1h' },
    },
  };
  const names = [...cases.map((_, index) => `case${index}`), ...Object.keys(ports)];
  const portOf = (name: string) =>
    ports[name as keyof typeof ports] ?? stages[Number(name.slice('case'.length))]?.port;
  daemon = await startDaemon({
    server: { workers: 2 },
    listeners: names.map((name) => ({ name, address: `127.0.0.1:${portOf(name)}` })),
    routes: names.map((name) => ({ when: { listener: name }, to: name })),
    upstreams: { ...upstreams, ...others },
  });
});

afterAll(async () => {
  await daemon.stop();
  await Promise.all(servers.map((each) => each.close()));
});

/** Null: it was turned away. A reset may be there before the client knows that it is connected. */
async function served(port: number | undefined): Promise<Peer | null> {
  const client = await dial(port as number).catch(() => null);
  if (client === null) return null;
  await eventually('an answer, or the end', () => client.length > 0 || client.ending !== undefined);
  return client.length > 0 ? client : null;
}

/** Which of them has one connection more than before. */
async function whoServes(of: readonly (Upstream | null)[], port: number | undefined) {
  const before = of.map((upstream) => upstream?.peers.length ?? 0);
  const client = await served(port);
  const at = of.findIndex((upstream, index) => (upstream?.peers.length ?? 0) > (before[index] as number));
  return { client, at: client === null ? null : at };
}

describe('endpoints that are full, refuse, or stand in for others', () => {
  test.each(cases.map((one, index) => ({ ...one, index })))(
    '$why',
    async ({ index, served: due, anyOrder }) => {
      const { endpoints, port } = stages[index] as (typeof stages)[number];
      const went: (number | null)[] = [];
      const clients: (Peer | null)[] = [];
      for (const _ of due) {
        const { client, at } = await whoServes(endpoints, port);
        went.push(at);
        clients.push(client);
      }
      for (const client of clients) client?.reset();
      const inOrder = (list: readonly (number | null)[]) =>
        anyOrder ? list.toSorted((one, other) => Number(one ?? 99) - Number(other ?? 99)) : list;
      expect(inOrder(went)).toEqual(inOrder(due));
    },
  );

  test('a client whose endpoint is full has another one meanwhile, and its own again afterwards', async () => {
    const first = await whoServes(sticky, ports.sticky);
    const second = await whoServes(sticky, ports.sticky);
    expect([first.at, second.at]).toContain(0);
    expect(second.at).toBe(1 - (first.at as number));
    first.client?.reset();
    second.client?.reset();
    const names = sticky.map(({ target }) => target);
    for (const endpoint of names)
      await daemon.metricBecomes('anyport_endpoint_sessions', 0, { upstream: 'sticky', endpoint });
    const third = await whoServes(sticky, ports.sticky);
    expect(third.at).toBe(first.at);
    third.client?.reset();
  });

  test('one address in two upstreams has the places of each', async () => {
    const clients = [await served(ports.left), await served(ports.right)];
    expect(clients).not.toContain(null);
    expect([await served(ports.left), await served(ports.right)]).toEqual([null, null]);
    expect(shared.peers.filter(({ ending }) => ending === undefined)).toHaveLength(2);
    for (const client of clients) client?.reset();
  });

  test('one that resets instead of answering, as often as max_fails, is asked no more', async () => {
    const [bad, good] = watched as [Upstream, Upstream];
    const visit = async () => {
      const client = await dial(ports.watched);
      client.send('request');
      await eventually('an answer, or the end', () => client.length > 0 || client.ending !== undefined);
      client.reset();
    };
    await eventually('its ejection', async () => {
      await visit();
      return (await daemon.metric('anyport_endpoint_ejections_total', { upstream: 'watched' })) > 0;
    });
    const before = bad.peers.length;
    for (let i = 0; i < 6; i += 1) await visit();
    expect(bad.peers).toHaveLength(before);
    expect(good.peers.length).toBeGreaterThanOrEqual(6);
  });
});

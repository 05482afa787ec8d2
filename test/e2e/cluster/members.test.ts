/**
 * Two daemons, three members of etcd and 5,000 keys: whatever becomes of members, of the other daemon or of the keys, sessions
 * are served by what was known last, no round trip fails or stalls, and routing follows as soon as etcd has a majority again.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EtcdClient } from '../../../src/cluster/etcd/client.js';
import { report, whole } from '../../soak/soak.js';
import { type Backend, ping, startBackend, whoAnswers } from '../../support/backends.js';
import { type Daemon, startDaemon, type TestConfig } from '../../support/daemon.js';
import { Etcd, etcdTools } from '../../support/etcd.js';
import { freePort } from '../../support/ports.js';
import { cpuNanosecondsEver } from '../../support/proc.js';
import { type LoadFigures, startEndpoint, startLoad } from '../../support/steady.js';
import { dial } from '../../support/tcp.js';
import { describeWith } from '../../support/tools.js';
import { eventually } from '../../support/wait.js';
import { shiftWallClock } from '../../support/wall-clock.js';

const SERVICES = '/anyport/services';
const DAY_S = 86_400;

/** From a write that etcd has taken to routing by it. */
const CONVERGENCE_MS_MAX = 2000;

/** For p99.9 of round trips: less than etcd is without a majority, and far more than a busy machine adds. */
const STALL_MS_MAX = 2000;
/** On a machine that is busier still: as many times p99.9 of the quiet phase. */
const STALL_FACTOR_MAX = 10;

/** `rounds` of each calamity; `seconds` of the quiet phase, and of the one with changes. */
const shape = whole
  ? { rounds: 5, seconds: 20, load: { rate: 200, long: 50, intervalMs: 10 } }
  : { rounds: 1, seconds: 2, load: { rate: 50, long: 20, intervalMs: 20 } };

const CHANGES_PER_SECOND = 100;
/** CPU time of the daemon for one of them: several times what it takes, and less than to read all instances again. */
const CHANGE_CPU_MS_MAX = 10;

/** 5,000 keys: services that routes lead to, and their instances. */
const many = { services: 50, instances: 100 } as const;
const manyNames = Array.from({ length: many.services }, (_, index) => `s${index}`);
/** And `web` and `echo`. */
const INSTANCES = many.services * many.instances + 2;

/** Written again until sockets and etcd have no more room for a watch that is not read. */
const flood = { writes: 300, bytes: 64_000, atOnce: 20 } as const;

/** `cpu_s`: of the first node. */
type Phase = LoadFigures & { readonly cpu_s: number };

interface Node {
  readonly daemon: Daemon;
  /** Leads to the service `web`. */
  readonly front: number;
  /** Leads to the service `echo`, for the load. */
  readonly steady: number;
}

function configOf(node_id: string, front: number, steady: number, etcd_endpoints: string[]): TestConfig {
  const upstreams = ['web', 'echo', ...manyNames].map((name) => [name, { endpoints: [`service:${name}`] }]);
  return {
    logging: { access_log: false },
    listeners: [
      { name: 'front', address: `127.0.0.1:${front}` },
      { name: 'steady', address: `127.0.0.1:${steady}` },
    ],
    protocols: [{ name: 'redis', target: 'web' }, { name: 'HTTP' }],
    routes: [
      { when: { protocol: 'redis', listener: 'steady' }, to: 'echo' },
      ...manyNames.map((name) => ({ when: { protocol: 'http', host: `${name}.example` }, to: name })),
    ],
    upstreams: Object.fromEntries(upstreams),
    distributed: {
      ...{ enable: true, node_id, etcd_endpoints, ttl: '5s', allow_loopback: true },
    },
  };
}

async function startNode(id: string, endpoints: string[]): Promise<Node> {
  const [front, steady] = [await freePort(), await freePort()];
  return { daemon: await startDaemon(configOf(id, front, steady, endpoints)), front, steady };
}

const keyOf = (service: string, index: number) => `${SERVICES}/${service}/${index}`;

const instanceOf = (service: string, index: number, weight: number) =>
  JSON.stringify({ address: `10.0.${manyNames.indexOf(service)}.${index}:80`, weight });

const instancesOf = (service: string) =>
  Array.from({ length: many.instances }, (_, index) => ({
    put: keyOf(service, index),
    value: instanceOf(service, index, 1),
  }));

describeWith(...etcdTools, 'g++')('three members of etcd', () => {
  let etcd: Etcd;
  let client: EtcdClient;
  let one: Node;
  let two: Node;
  /** Whom the service leads to. */
  let serving = 'a';
  let quiet: Phase;
  const backends = new Map<string, Backend>();
  const cleanups: (() => unknown)[] = [];

  beforeAll(async () => {
    etcd = await Etcd.start(3);
    client = etcd.client();
    cleanups.push(() => etcd.remove());
    cleanups.push(() => client.close());
    const echo = await startEndpoint();
    cleanups.push(() => echo.stop());
    for (const name of ['a', 'b']) {
      const backend = await startBackend(name);
      backends.set(name, backend);
      cleanups.push(() => backend.kill());
    }
    await client.put(`${SERVICES}/echo/1`, JSON.stringify({ address: echo.target }));
    await client.put(`${SERVICES}/web/1`, instance('a'));
    for (const service of manyNames) await client.transact([], instancesOf(service));
    // The leader first: both nodes use the member that is killed first.
    const leader = await etcd.leader();
    const endpoints = [...etcd.endpoints.slice(leader), ...etcd.endpoints.slice(0, leader)];
    [one, two] = await Promise.all([startNode('n1', endpoints), startNode('n2', endpoints)]);
    cleanups.push(() => one.daemon.stop());
    cleanups.push(() => {
      two.daemon.signal('SIGCONT');
      return two.daemon.stop();
    });
    await both('nodes', 2);
    await both('instances', INSTANCES);
    quiet = await underLoad(() => sleep(shape.seconds * 1000));
  });
  afterAll(async () => {
    for (const cleanup of cleanups.reverse()) await cleanup();
  });

  const instance = (name: string) => JSON.stringify({ address: backends.get(name)?.target });
  const other = () => (serving === 'a' ? 'b' : 'a');

  const both = (metric: string, wanted: number) =>
    Promise.all([one, two].map(({ daemon }) => daemon.metricBecomes(`anyport_cluster_${metric}`, wanted)));

  /** When etcd has taken it; `false`: it has not, without a majority. */
  const put = (key: string, value: string) =>
    client.put(key, value).then(
      () => performance.now(),
      () => false as const,
    );

  /** Until this backend has the service's sessions. */
  const serves = (name: string, ...nodes: readonly Node[]) =>
    Promise.all(
      nodes.map(({ front }) =>
        eventually(`${name} to answer`, async () => (await whoAnswers(front)) === name),
      ),
    );

  /** The service moves to the other backend: how long routing of these nodes took to follow after etcd had taken it, in ms. */
  async function move(...nodes: readonly Node[]): Promise<number> {
    serving = other();
    const takenMs = await eventually('etcd to take a change', () =>
      put(`${SERVICES}/web/1`, instance(serving)),
    );
    await serves(serving, ...nodes);
    return performance.now() - takenMs;
  }

  /** Round trips through the first node meanwhile, of which none may fail. */
  async function underLoad(work: () => Promise<unknown>): Promise<Phase> {
    const load = await startLoad([one.steady], shape.load);
    const beganNs = cpuNanosecondsEver(one.daemon.pid);
    try {
      await work();
    } catch (error) {
      load.kill();
      throw error;
    }
    const cpu_s = (cpuNanosecondsEver(one.daemon.pid) - beganNs) / 1e9;
    const { failures, ...figures } = await load.stop();
    expect(failures).toBe('');
    expect(figures).toMatchObject({ failed: 0, cut: 0, long: shape.load.long });
    return { ...figures, cpu_s };
  }

  /** As `underLoad`; nor may round trips stall. */
  async function unstalled(work: () => Promise<unknown>): Promise<Phase> {
    const phase = await underLoad(work);
    const mostUs = Math.max(STALL_MS_MAX * 1000, STALL_FACTOR_MAX * quiet.ping_p999_us);
    expect(phase.ping_p999_us).toBeLessThan(mostUs);
    return phase;
  }

  /** `calamity` returns how long routing took to follow, each round. */
  async function convergence(title: string, calamity: () => Promise<number>): Promise<void> {
    const tookMs: number[] = [];
    const { ping_p999_us, pings, sessions } = await unstalled(async () => {
      for (let round = 0; round < shape.rounds; round += 1) tookMs.push(await calamity());
    });
    const followed_ms = tookMs.map(Math.round).join(' ');
    report(title, { followed_ms, ping_p999_us, pings, sessions });
    if (whole) expect(Math.max(...tookMs)).toBeLessThan(CONVERGENCE_MS_MAX);
  }

  test('the leader is killed: sessions go on, and both nodes follow what is written next', () =>
    convergence('leader killed', async () => {
      const leader = etcd.members[await etcd.leader()];
      await leader?.down('SIGKILL');
      const tookMs = await move(one, two);
      await leader?.up();
      return tookMs;
    }));

  test('the majority is lost: sessions go where they went; when it is back both nodes follow', async () => {
    const outages = await one.daemon.metric('anyport_cluster_outages_total');
    await convergence('majority back', async () => {
      await both('connected', 1);
      const leader = await etcd.leader();
      const lost = [etcd.members[leader], etcd.members[(leader + 1) % 3]];
      for (const member of lost) await member?.down('SIGKILL');
      await both('connected', 0);
      expect(await put('x', 'nobody takes it')).toBe(false);
      for (const { front } of [one, two]) expect(await whoAnswers(front)).toBe(serving);
      await Promise.all(lost.map((member) => member?.up()));
      return move(one, two);
    });
    await both('connected', 1);
    await both('registered', 1);
    expect(await one.daemon.metric('anyport_cluster_outages_total')).toBeGreaterThan(outages);
  });

  test('a node is stopped while history is compacted under its watch: its lease ends, and it finds what it has missed', async () => {
    await unstalled(async () => {
      two.daemon.signal('SIGSTOP');
      await fillWatch();
      serving = other();
      await client.put(`${SERVICES}/web/2`, instance(serving));
      await client.delete(`${SERVICES}/web/1`);
      await serves(serving, one);
      await etcd.compact(await client.put('x', 'the newest'));
      await one.daemon.metricBecomes('anyport_cluster_nodes', 1);
      two.daemon.signal('SIGCONT');
      // Soon as etcd says that history is compacted. If it does not (3.4 leaves out events instead, now and then) by `refresh_interval`.
      await serves(serving, two);
      await both('instances', INSTANCES);
      await both('nodes', 2);
    });
    await client.put(`${SERVICES}/web/1`, instance(serving));
    await client.delete(`${SERVICES}/web/2`);
    await both('instances', INSTANCES);
  });

  /** Until etcd has given up on the watch that is not read, and will look into its history when it is. */
  const fillWatch = () =>
    eventually('a watch to be behind', async () => {
      const key = `${SERVICES}/flood/1`;
      for (let each = 0; each < flood.writes; each += flood.atOnce)
        await Promise.all(
          Array.from({ length: flood.atOnce }, () => client.put(key, 'x'.repeat(flood.bytes))),
        );
      await client.put(key, JSON.stringify({ address: '10.1.0.1:80' }));
      // The other node has read all then: the watch that is behind is not its own.
      await one.daemon.metricBecomes('anyport_cluster_instances', INSTANCES + 1);
      await client.delete(key);
      return (await etcd.slowWatches()) > 0;
    });

  test.skipIf(process.arch !== 'x64')(
    'clocks jump by a day, ahead at the leader, back at a node: no lease ends, and all is followed, also with another leader',
    async () => {
      const leases = await etcd.leases();
      expect(leases.size).toBe(2);
      const ahead = await etcd.leader();
      const member = etcd.members[ahead];
      await unstalled(async () => {
        await move(one, two);
        await shiftWallClock(member?.pid ?? -1, DAY_S);
        await shiftWallClock(two.daemon.pid, -DAY_S);
        expect((await etcd.wallClock(ahead)) - Date.now()).toBeGreaterThan((DAY_S * 1000) / 2);
        await move(one, two);
        await member?.down('SIGKILL');
        await move(one, two);
        await member?.up();
      });
      expect(Date.now() - Date.parse(two.daemon.lines.at(-1)?.time ?? '')).toBeGreaterThan(
        (DAY_S * 1000) / 2,
      );
      expect(await etcd.leases()).toEqual(leases);
    },
  );

  test(`${CHANGES_PER_SECOND} changes a second: no round trip stalls, and all is followed`, async () => {
    for (let round = 0; round < shape.rounds; round += 1) {
      let followedMs = 0;
      const changing = await unstalled(async () => {
        const changes = changeMany();
        await sleep((shape.seconds * 1000) / 2);
        followedMs = await move(one, two);
        await changes;
      });
      report(`${CHANGES_PER_SECOND} changes a second (and without)`, {
        p999_us: `${changing.ping_p999_us} (${quiet.ping_p999_us})`,
        p99_us: `${changing.ping_p99_us} (${quiet.ping_p99_us})`,
        max_us: `${changing.ping_max_us} (${quiet.ping_max_us})`,
        cpu_s: `${changing.cpu_s} (${quiet.cpu_s})`,
        followed_ms: Math.round(followedMs),
        pings: changing.pings,
      });
      const cpuMs = (changing.cpu_s - quiet.cpu_s) * 1000;
      expect(cpuMs / (shape.seconds * CHANGES_PER_SECOND)).toBeLessThan(CHANGE_CPU_MS_MAX);
      if (whole) expect(followedMs).toBeLessThan(CONVERGENCE_MS_MAX);
    }
  });

  /** Other weights, of one service after the other; resolves when etcd has taken all. */
  async function changeMany(): Promise<void> {
    const startMs = performance.now();
    const taken: Promise<unknown>[] = [];
    for (let each = 0; each < shape.seconds * CHANGES_PER_SECOND; each += 1) {
      await sleep(Math.max(0, startMs + (each * 1000) / CHANGES_PER_SECOND - performance.now()));
      const service = manyNames[each % many.services] ?? '';
      const index = Math.floor(each / many.services) % many.instances;
      taken.push(client.put(keyOf(service, index), instanceOf(service, index, 2 + (each % 9))));
    }
    await Promise.all(taken);
  }

  test('one node is killed: nothing of the other moves, and its counters say so', async () => {
    const told = (name: string) => one.daemon.metric(`anyport_cluster_${name}`);
    const session = await dial(one.front);
    await session.send(ping).bytes(4);
    const [instances, outages] = [await told('instances'), await told('outages_total')];
    await unstalled(async () => {
      two.daemon.signal('SIGKILL');
      await one.daemon.metricBecomes('anyport_cluster_nodes', 1);
    });
    await session.send(ping).bytes(8);
    session.socket.destroy();
    expect([await told('connected'), await told('registered')]).toEqual([1, 1]);
    expect([await told('instances'), await told('outages_total')]).toEqual([instances, outages]);
    await serves(serving, one);
  });
});

/** What daemons of one cluster share by a real etcd: what their checks find, and whom they have banned. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EtcdClient } from '../../../src/cluster/etcd/client.js';
import { type Backend, ping, startBackend, whoAnswers } from '../../support/backends.js';
import { type ControlSite, startControlled } from '../../support/control.js';
import { anyport, type Daemon, type TestConfig } from '../../support/daemon.js';
import { Etcd, etcdTools } from '../../support/etcd.js';
import { freePort } from '../../support/ports.js';
import { dial, type Peer } from '../../support/tcp.js';
import { describeWith } from '../../support/tools.js';
import { eventually } from '../../support/wait.js';

const BANNED = '127.0.0.7';
const TRUSTED = '127.0.0.8';
const check = { type: 'tcp', interval: '200ms', rise: 1, fall: 1 };

/** Of a node, as `anyport cluster` says them. */
interface Bans {
  readonly count: number;
}

describeWith(...etcdTools)('two daemons of a cluster', () => {
  let etcd: Etcd;
  let client: EtcdClient;
  let [a, b]: Backend[] = [];
  let one: { daemon: Daemon; site: ControlSite };
  let two: { daemon: Daemon; site: ControlSite };

  const config = (node_id: string, web: object, security: object = {}): TestConfig => ({
    protocols: [{ name: 'redis', target: 'web' }],
    upstreams: { web },
    security,
    server: { max_connections_per_ip: 12, drain_delay: '1h' },
    distributed: {
      ...{ enable: true, node_id, etcd_endpoints: etcd.endpoints, ttl: '5s', allow_loopback: true },
      divide_limits: true,
      cluster_key: 'a key that both of them have, no other',
    },
  });

  beforeAll(async () => {
    etcd = await Etcd.start();
    client = etcd.client();
    [a, b] = [await startBackend('a'), await startBackend('b')];
    const blind = { endpoints: [a.target], health_check: { ...check, port: await freePort() } };
    const both = { endpoints: [a.target, b.target], health_check: check };
    [one, two] = await Promise.all([
      startControlled(config('n1', blind)),
      startControlled(config('n2', both, { ip_whitelist: [TRUSTED] })),
    ]);
  });
  afterAll(async () => {
    for (const { daemon } of [one, two]) await daemon.cut();
    client.close();
    for (const backend of [a, b]) backend?.kill();
    await etcd.remove();
  });

  const target = () => a?.target ?? '';
  const statusOf = async ({ site }: typeof one) =>
    (await site.get('/api/v1/upstreams')).body.upstreams[0].endpoints.find(
      ({ name }: { name: string }) => name === target(),
    );
  const served = async ({ daemon }: typeof one, from: string) =>
    (await whoAnswers(daemon.port, from).catch(() => null)) !== null;
  const inEtcd = async () => JSON.parse((await anyport(['cluster', '--json', '-c', one.daemon.file])).stdout);

  test('one that most nodes can not reach gets no sessions; one alone does not decide', async () => {
    const says = async (node: string, verdict: string) =>
      (await client.get(`/anyport/health/${node}`)).items[0]?.value.includes(
        `"${verdict}":{"web":["${target()}"`,
      );
    await eventually('the verdict of n1', () => says('n1', 'down'));
    await eventually('that of n2', () => says('n2', 'up'));
    expect(await statusOf(two)).toMatchObject({ up: true });
    await client.put('/anyport/nodes/n3', JSON.stringify({ id: 'n3' }));
    await client.put('/anyport/health/n3', JSON.stringify({ down: { web: [target()] } }));
    await eventually('the majority', async () => !(await statusOf(two)).up);
    expect(await statusOf(two)).toMatchObject({ why: '2 of 3 nodes say that it is down' });
    const heard = { heard_s: expect.toSatisfy((seconds) => seconds >= 0 && seconds <= 5) };
    const voters = (...nodes: string[]) => nodes.map((node) => ({ node, ...heard }));
    expect((await inEtcd()).votes).toEqual([
      // What has no lease can not be said to have been heard of at any time.
      {
        ...{ upstream: 'web', endpoint: target(), majority: 'down', up: voters('n2') },
        down: [...voters('n1'), { node: 'n3', heard_s: null }],
      },
      { upstream: 'web', endpoint: b?.target, majority: 'up', down: [], up: voters('n2') },
    ]);
    for (let each = 0; each < 4; each += 1) expect(await whoAnswers(two.daemon.port)).toBe('b');
    expect(await says('n2', 'up')).toBe(true);
    await client.put('/anyport/health/n3', '{"down": 7}');
    await eventually('its end', async () => (await statusOf(two)).up);
    expect(two.daemon.lines.filter(({ msg }) => String(msg).startsWith('left out'))).toMatchObject([
      { msg: 'left out: etcd: /anyport/health/n3: down: expected lists of endpoints by upstream' },
    ]);
  });

  test('who is banned by one is refused by the other, until the ban is lifted; the whitelist wins', async () => {
    for (const ip of [BANNED, TRUSTED])
      await one.site.ask('POST', '/api/v1/bans', { body: { ip, for: '10m', reason: 'a test' } });
    await eventually('the ban', async () => !(await served(two, BANNED)));
    expect((await two.site.get('/api/v1/bans')).body).toMatchObject({
      active: 1,
      bans: [{ address: BANNED, cause: 'cluster', reason: 'node n1' }],
    });
    const told = await eventually('both', async () =>
      (await inEtcd()).bans.find(({ count }: Bans) => count === 2),
    );
    expect([told.node, ...told.sources.toSorted()]).toEqual(['n1', BANNED, TRUSTED]);
    expect(await served(two, TRUSTED)).toBe(true);
    expect(await served(two, '127.0.0.9')).toBe(true);
    await one.site.ask('DELETE', `/api/v1/bans/${BANNED}`);
    await eventually('its end', () => served(two, BANNED));
  });

  test('a ban that is not signed with the key of the cluster bans nobody, and is counted', async () => {
    const signed = JSON.stringify({ revision: (await client.get('x')).revision, bans: [[BANNED, 60_000]] });
    await client.put('/anyport/bans/n3', JSON.stringify({ signed, hmac: '0'.repeat(64) }));
    const refused = () => two.daemon.metric('anyport_cluster_bans_refused_total', { reason: 'signature' });
    await eventually('the refusal', async () => (await refused()) === 1);
    expect(await served(two, BANNED)).toBe(true);
  });

  test('limits per source are divided by the nodes there are', async () => {
    const { daemon } = two;
    await eventually('three nodes', () =>
      daemon.lines.some(({ msg, nodes }) => nodes === 3 && String(msg).startsWith('limits per source')),
    );
    const held: Peer[] = [];
    const isServed = async () => {
      const peer = await dial(daemon.port, '127.0.0.20').catch(() => null);
      if (peer === null) return false;
      held.push(peer.send(ping));
      await eventually('an answer or an end', () => peer.length > 0 || peer.ending !== undefined);
      return peer.length > 0;
    };
    await eventually('a third of the limit', async () => {
      for (const peer of held.splice(0)) peer.reset();
      const answers: boolean[] = [];
      for (let each = 0; each < 5; each += 1) answers.push(await isServed());
      return String(answers) === 'true,true,true,true,false';
    });
    for (const peer of held) peer.reset();
  });

  test('a node that drains is gone at once for the others, and follows them as long as it serves', async () => {
    two.daemon.signal('SIGTERM');
    await eventually('its key to go', async () => (await client.get('/anyport/nodes/n2')).items.length === 0);
    await one.site.ask('POST', '/api/v1/bans', { body: { ip: BANNED, for: '10m', reason: 'a test' } });
    await eventually('the ban', async () => !(await served(two, BANNED)));
    await one.site.ask('DELETE', `/api/v1/bans/${BANNED}`);
    await eventually('its end', () => served(two, BANNED));
    await client.put('/anyport/health/n3', JSON.stringify({ down: { web: [target()] } }));
    await eventually('the majority', async () => !(await statusOf(two)).up);
    for (let each = 0; each < 4; each += 1) expect(await whoAnswers(two.daemon.port)).toBe('b');
    expect((await client.get('/anyport/nodes/n2')).items).toEqual([]);
  });
});

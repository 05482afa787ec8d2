/** Daemons and a real etcd: who is registered, which services are endpoints, and what becomes of both when one of them goes. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type * as Library from '../../../src/index.js';
import { type Backend, ping, startBackend, whoAnswers } from '../../support/backends.js';
import { startControlled } from '../../support/control.js';
import { anyport, type Daemon, startDaemon, type TestConfig } from '../../support/daemon.js';
import { etcdTools } from '../../support/etcd.js';
import { etcdGround } from '../../support/etcd-ground.js';
import { freePort } from '../../support/ports.js';
import { dial } from '../../support/tcp.js';
import { type TempFolder, tempFolder } from '../../support/temp.js';
import { describeWith } from '../../support/tools.js';
import { startGenerations } from '../../support/upgrade.js';
import { eventually } from '../../support/wait.js';

const LIBRARY = new URL('../../../dist/index.js', import.meta.url).href;

/** From a change in etcd to routing. */
const SOON_MS = 2000;

describeWith(...etcdTools)('a cluster', () => {
  const ground = etcdGround();
  let folder: TempFolder;
  /** Of the keys that the test looks at. */
  let prefix: string;
  const backends = new Map<string, Backend>();

  beforeAll(async () => {
    folder = tempFolder();
    for (const name of ['a', 'b']) backends.set(name, await startBackend(name));
  });
  beforeEach(() => {
    prefix = ground.prefix;
  });
  afterAll(() => {
    for (const backend of backends.values()) backend.kill();
    folder.remove();
  });

  const distributed = (more: object = {}): object => ({
    ...{ enable: true, node_id: 'n1', etcd_endpoints: ground.etcd.endpoints, ttl: '5s', prefix },
    ...{ allow_loopback: true, advertise: '10.0.0.1:9090', ...more },
  });

  const config = (more: object = {}): TestConfig => ({
    protocols: [{ name: 'redis', target: 'web' }],
    upstreams: { web: { endpoints: ['service:web'] } },
    distributed: distributed(more),
  });

  async function start(more: object = {}): Promise<Daemon> {
    const daemon = await startDaemon(config(more));
    ground.ends.push(() => daemon.stop());
    return daemon;
  }

  const put = (name: string, more: object = {}) =>
    ground.client.put(
      `${prefix}/services/web/${name}`,
      JSON.stringify({ address: backends.get(name)?.target, ...more }),
    );
  const nodes = async () =>
    (await ground.client.list(`${prefix}/nodes/`, 100)).items.map(({ value }) =>
      JSON.parse(value.toString()),
    );
  const registered = (id: string) =>
    eventually(`${id} to be registered`, async () => (await nodes()).find((each) => each.id === id));

  /** Until who answers is this one alone; null: nobody does. */
  const answers = ({ port }: Daemon, name: string | null) =>
    eventually(`${name} to answer`, async () => (await whoAnswers(port)) === name, SOON_MS);

  test('a node is registered with what it is, and gone as soon as it drains', async () => {
    const daemon = await startDaemon({ ...config(), server: { graceful_shutdown_timeout: '1m' } });
    ground.ends.push(() => daemon.stop());
    const peer = await dial(daemon.port);
    expect(await registered('n1')).toMatchObject({ address: '10.0.0.1:9090', instance: expect.any(String) });
    await eventually('its load', async () => (await registered('n1')).load === 1);
    daemon.signal('SIGTERM');
    await eventually('it to be gone', async () => (await nodes()).length === 0, SOON_MS);
    expect([daemon.child.exitCode, peer.ending]).toEqual([null, undefined]);
    peer.socket.destroy();
  });

  test('services come, change their weight and go: sessions follow, and bad ones are named', async () => {
    const { daemon, site } = await startControlled(config());
    ground.ends.push(() => daemon.stop());
    await answers(daemon, null);
    await put('a');
    await answers(daemon, 'a');
    await put('b', { weight: 3 });
    const upstream = async () => (await site.get('/api/v1/upstreams')).body.upstreams[0].endpoints;
    const weights = async () => (await upstream()).map(({ weight }: { weight: number }) => weight);
    await eventually('both', async () => String(await weights()) === '1,3', SOON_MS);
    const from = 'etcd: service web';
    expect(await upstream()).toMatchObject([{ from }, { from }]);
    expect((await site.get('/api/v1/status')).body.saidBy).toContainEqual(
      expect.objectContaining({ source: from, endpoints: 2 }),
    );
    const { stdout } = await anyport(['check', daemon.file, '--origins']);
    expect(stdout).toMatch(
      /^upstream +web .*anyport\.yaml:\d+\nendpoint +web 127\.0\.0\.1:\d+ +etcd: service web$/m,
    );
    await put('a', { weight: 0 });
    await answers(daemon, 'b');
    await put('bad', { address: 'example.org:80' });
    await ground.client.delete(`${prefix}/services/web/b`);
    await put('a');
    await answers(daemon, 'a');
    expect((await site.get('/api/v1/status')).body.cluster).toMatchObject({
      ...{ node: 'n1', registered: true, connected: true, error: null, nodes: ['n1'] },
      services: [{ name: 'web', instances: 1 }],
      leftOut: [expect.stringContaining('/services/web/bad: address: expected an IP address')],
    });
    expect(await daemon.metric('anyport_cluster_instances')).toBe(1);
    expect(await daemon.line('service has other endpoints')).toMatchObject({ service: 'web' });
    const shown = await anyport(['cluster', '-c', daemon.file]);
    expect(shown).toMatchObject({ status: 0, stderr: '' });
    expect(shown.stdout).toMatch(/^NODE +ADDRESS .*\nn1 \(this\) +10\.0\.0\.1:9090 /);
    expect(shown.stdout).toMatch(/\nweb +a +127\.0\.0\.1:\d+ +1 +-\nleft out: .*\/bad: address: /);
    const { nodes, services, left_out } = JSON.parse(
      (await anyport(['cluster', '-c', daemon.file, '--json'])).stdout,
    );
    expect([nodes[0].id, services[0], left_out.length]).toEqual([
      'n1',
      { service: 'web', instance: 'a', address: backends.get('a')?.target, weight: 1, meta: {} },
      1,
    ]);
  });

  test('without etcd sessions go where they went, at a start by what is on disk; afterwards all is found', async () => {
    const state = { state_file: join(folder.path, 'state.json') };
    const { daemon, site } = await startControlled(config(state));
    ground.ends.push(() => daemon.stop());
    await put('a');
    await answers(daemon, 'a');
    await eventually('the state on disk', () => existsSync(state.state_file));
    await ground.etcd.members[0]?.down();
    const status = async () => (await site.get('/api/v1/status')).body.cluster;
    await eventually('the outage', async () => (await status()).error !== null);
    expect((await status()).connected).toBe(false);
    await answers(daemon, 'a');
    expect(await anyport(['cluster', '-c', daemon.file])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('etcd can not be asked: etcd at 127.0.0.1'),
    });
    const checked = await anyport(['check', daemon.file, '--origins', '--json']);
    expect(checked.status).toBe(0);
    const without = expect.stringMatching(/^without services: etcd at 127\.0\.0\.1/);
    expect(JSON.parse(checked.stdout).left_out).toMatchObject([{ file: null, message: without }]);
    const other = await start({ ...state, node_id: 'n2' });
    await answers(other, 'a');
    await ground.etcd.members[0]?.up();
    await put('b');
    await ground.client.delete(`${prefix}/services/web/a`);
    for (const each of [daemon, other])
      await eventually('b', async () => (await whoAnswers(each.port)) === 'b');
    await eventually('both nodes', async () => (await nodes()).length === 2);
    await eventually('the end of the outage', async () => (await status()).connected);
    expect(await status()).toMatchObject({ error: null, registered: true });
  });

  test('one that dies is gone after its lease, one that was stopped comes back; the third has all its sessions', async () => {
    await put('a');
    const [dies, stops, stays] = await Promise.all(['n1', 'n2', 'n3'].map((node_id) => start({ node_id })));
    if (dies === undefined || stops === undefined || stays === undefined) throw new Error('unreachable');
    for (const id of ['n1', 'n2', 'n3']) await registered(id);
    await answers(stays, 'a');
    const session = await dial(stays.port);
    session.send(ping);
    await session.bytes(4);
    dies.signal('SIGKILL');
    stops.signal('SIGSTOP');
    await eventually('the end of their leases', async () => (await nodes()).length === 1);
    await stays.metricBecomes('anyport_cluster_nodes', 1);
    session.send(ping);
    await session.bytes(8);
    await answers(stays, 'a');
    stops.signal('SIGCONT');
    await registered('n2');
    session.socket.destroy();
  });

  test('a reload leads to another part of etcd, and away from it', async () => {
    const daemon = await start();
    await put('a');
    await registered('n1');
    await answers(daemon, 'a');
    const before = prefix;
    prefix = `${prefix}/other`;
    await put('b');
    expect(await daemon.reload(config({ node_id: 'n2' }))).toMatchObject({ msg: 'reloaded' });
    await answers(daemon, 'b');
    await registered('n2');
    expect((await ground.client.list(`${before}/nodes/`, 1)).items).toEqual([]);
    const alone = {
      ...config(),
      upstreams: { web: { endpoints: [backends.get('a')?.target] } },
      distributed: undefined,
    };
    expect(await daemon.reload(alone)).toMatchObject({ msg: 'reloaded' });
    await answers(daemon, 'a');
    await eventually('it to be gone', async () => (await nodes()).length === 0, SOON_MS);
  });

  test('a reload to an etcd that is not there keeps the services that are known', async () => {
    const daemon = await start();
    await put('a');
    await answers(daemon, 'a');
    const nowhere = { etcd_endpoints: [`http://127.0.0.1:${await freePort()}`] };
    expect(await daemon.reload(config(nowhere))).toMatchObject({ msg: 'reloaded' });
    await daemon.line('etcd can not be used: what was known last stays');
    await answers(daemon, 'a');
    expect(await daemon.reload(config({ ...nowhere, prefix: '/elsewhere' }))).toMatchObject({
      msg: 'reloaded',
    });
    await answers(daemon, 'a');
  });

  test('a program with the library is a node, too, until it closes', async () => {
    const { createAnyport } = (await import(LIBRARY)) as typeof Library;
    await put('a');
    const plex = createAnyport({
      protocols: [{ name: 'redis', target: 'service:web' }],
      distributed: {
        ...{ enable: true, nodeId: 'program', etcdEndpoints: ground.etcd.endpoints, prefix },
        allowLoopback: true,
      },
    });
    await plex.listen('127.0.0.1:0');
    expect(await whoAnswers(plex.address?.port ?? 0)).toBe('a');
    await registered('program');
    await plex.close({ drain: 0 });
    expect(await nodes()).toEqual([]);
    const refused = createAnyport({ distributed: { enable: true, etcdEndpoints: 'x:1', configManager: {} } });
    await expect(refused.listen('127.0.0.1:0')).rejects.toThrow(
      'distributed.configManager: is for the daemon',
    );
  });

  test('through an upgrade the node is there all the time, as the same', async () => {
    const generations = await startGenerations(config());
    const first = await registered('n1');
    const { revision } = await ground.client.get('x');
    const deleted: string[] = [];
    const watch = await ground.client.watch(`${prefix}/nodes/`, revision + 1);
    const watching = (async () => {
      for await (const message of watch.messages)
        if (message.type === 'events')
          for (const event of message.events) if (event.type === 'delete') deleted.push(event.key);
    })();
    await generations.upgrade();
    const second = await eventually('the new process', async () => {
      const node = await registered('n1');
      return node.startedMs > first.startedMs && node;
    });
    expect(second.instance).toBe(first.instance);
    await eventually('the old process to end', () => generations.living.length === 1);
    expect(deleted).toEqual([]);
    await generations.stop();
    await eventually('it to be gone', () => deleted.length === 1, SOON_MS);
    watch.close();
    await watching;
  });
});

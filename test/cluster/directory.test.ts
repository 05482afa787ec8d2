/** Services in real etcd as endpoints of upstreams: found, followed, refused by name, and kept through an outage and a restart. */
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.js';
import { Directory, type DirectoryOptions } from '../../src/cluster/directory.js';
import type { EtcdClient } from '../../src/cluster/etcd/client.js';
import { readState, StateFile } from '../../src/cluster/state-file.js';
import type { Discovery } from '../../src/model/config.js';
import { createProvider } from '../../src/providers/index.js';
import { configOf } from '../config/support.js';
import { Etcd, etcdTools } from '../support/etcd.js';
import { tempFolder } from '../support/temp.js';
import { describeWith } from '../support/tools.js';
import { eventually } from '../support/wait.js';

const PREFIX = '/anyport/services/';
const config = (...names: string[]): string => `protocols: [{ name: HTTP, target: web }]
upstreams: { web: { endpoints: [${names.map((name) => `"${name}"`).join(', ')}] } }
distributed: { enable: true, etcd_endpoints: ["http://etcd:2379"] }`;
const upstreamsOf = (...names: string[]) => configOf(config(...names)).upstreams;
const instance = (address: string, weight = 1): string => JSON.stringify({ address, weight });

describeWith(...etcdTools)('services', () => {
  const ends: (() => Promise<void> | void)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
  });

  async function etcdWith(pairs: Record<string, string>): Promise<{ etcd: Etcd; client: EtcdClient }> {
    const etcd = await Etcd.start();
    const client = etcd.client();
    ends.push(
      () => client.close(),
      () => etcd.remove(),
    );
    for (const [key, value] of Object.entries(pairs)) await client.put(`${PREFIX}${key}`, value);
    return { etcd, client };
  }

  function directoryOf(client: EtcdClient, options: Partial<DirectoryOptions> = {}) {
    const faults: string[] = [];
    const directory = new Directory({
      client,
      prefix: '/anyport',
      allowLoopback: false,
      refreshMs: 3_600_000,
      clock: systemClock,
      chance: Math.random,
      onFaults: (told) => faults.push(...told),
      onFailure: () => {},
      onRecovery: () => {},
      ...options,
    });
    ends.unshift(() => directory.stop());
    directory.start();
    return { directory, faults };
  }

  /** What the provider has said last. */
  async function provided(directory: Directory, ...names: string[]) {
    const provider = createProvider(upstreamsOf(...names), {
      clock: systemClock,
      warn: () => {},
      info: () => {},
      directory,
    });
    ends.unshift(() => provider.stop());
    const seen: { discovery: Discovery; changes: number } = { discovery: await first(), changes: 0 };
    function first(): Promise<Discovery> {
      return provider.start((discovery) => {
        seen.discovery = discovery;
        seen.changes += 1;
      });
    }
    return { provider, seen };
  }

  const shown = ({ services }: Discovery, name: string): string | undefined =>
    services
      .get(name)
      ?.value.map((endpoint) => `${endpoint.name}*${endpoint.weight}`)
      .join(' ');

  test('are there at the start, and follow', async () => {
    const { client } = await etcdWith({
      'web/a': instance('10.0.0.1:80', 3),
      'other/a': instance('10.0.0.9:80'),
    });
    const { seen } = await provided(directoryOf(client).directory, 'service:web', '10.0.0.7:80');
    expect(shown(seen.discovery, 'web')).toBe('10.0.0.1:80*3');
    expect([...seen.discovery.services.keys()]).toEqual(['web']);
    await client.put(`${PREFIX}web/b`, instance('10.0.0.2:80'));
    await eventually('the new one', () => shown(seen.discovery, 'web') === '10.0.0.1:80*3 10.0.0.2:80*1');
    await client.deletePrefix(`${PREFIX}web/`);
    await eventually('none', () => shown(seen.discovery, 'web') === '');
  });

  test('that nobody names change nothing, and a burst is one change or a few', async () => {
    const { client } = await etcdWith({ 'web/a': instance('10.0.0.1:80') });
    const { provider, seen } = await provided(directoryOf(client).directory, 'service:web');
    for (let port = 1; port <= 100; port += 1)
      await client.put(`${PREFIX}other/i${port}`, instance(`10.0.0.1:${port}`));
    for (let weight = 1; weight <= 100; weight += 1)
      await client.put(`${PREFIX}web/a`, instance('10.0.0.1:80', weight));
    await eventually('the last', () => shown(seen.discovery, 'web') === '10.0.0.1:80*100');
    expect(seen.changes).toBeLessThan(20);
    const more = await provider.include(upstreamsOf('service:other'));
    expect(more.services.get('other')?.value).toHaveLength(100);
  });

  test('a hostile instance is refused by its key, once', async () => {
    const { client } = await etcdWith({
      'web/a': instance('10.0.0.1:80'),
      'web/bad': instance('127.0.0.1:22'),
    });
    const { directory, faults } = directoryOf(client);
    const { seen } = await provided(directory, 'service:web');
    expect(shown(seen.discovery, 'web')).toBe('10.0.0.1:80*1');
    await client.put(`${PREFIX}web/b`, instance('10.0.0.2:80'));
    await eventually('the good one', () => shown(seen.discovery, 'web') === '10.0.0.1:80*1 10.0.0.2:80*1');
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(/^\/anyport\/services\/web\/bad: address: 127\.0\.0\.1 is a loopback address/);
  });

  test('that change many times are read when somebody asks: once', async () => {
    const { client } = await etcdWith({});
    const { directory, faults } = directoryOf(client);
    await directory.ready();
    let revision = 0;
    for (let each = 1; each <= 20; each += 1) revision = await client.put(`${PREFIX}bad/${each}`, 'x');
    await eventually('the last change', () => directory.held.revision === revision);
    expect(faults).toEqual([]);
    const { services } = directory;
    expect(faults).toHaveLength(16); // as many as are told at a time
    expect(directory.services).toBe(services);
    expect(faults).toHaveLength(16);
  });

  test('outlive etcd: kept while it is away, and on disk for a start without it', async () => {
    const folder = tempFolder();
    const path = join(folder.path, 'state');
    const { etcd, client } = await etcdWith({ 'web/a': instance('10.0.0.1:80') });
    ends.push(() => folder.remove());
    const file = new StateFile({ path, clock: systemClock, onError: () => {} });
    const { directory } = directoryOf(client, { onHeld: (prefix, held) => file.save(prefix, held) });
    const { seen } = await provided(directory, 'service:web');
    await etcd.members[0]?.down();
    await eventually('the outage', () => seen.discovery.services.get('web')?.failing);
    expect(shown(seen.discovery, 'web')).toBe('10.0.0.1:80*1');
    directory.stop();
    await file.close();

    const read = await readState(path, []);
    const initial = 'state' in read ? read.state.get(PREFIX) : undefined;
    expect(initial?.items.size).toBe(1);
    const later = directoryOf(client, initial && { initial });
    const again = await provided(later.directory, 'service:web');
    expect(shown(again.seen.discovery, 'web')).toBe('10.0.0.1:80*1');
    await etcd.members[0]?.up();
    await etcd.answers();
    await client.put(`${PREFIX}web/a`, instance('10.0.0.1:80', 7));
    await eventually('what is so now', () => shown(again.seen.discovery, 'web') === '10.0.0.1:80*7');
  });
});

/** Fragments of the configuration in etcd: they reach every daemon, cut no session, and what is wrong with one is written back. */

import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
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

describeWith(...etcdTools)('fragments', () => {
  const ground = etcdGround();
  let folder: TempFolder;
  let file: Backend;
  let other: Backend;

  beforeAll(async () => {
    folder = tempFolder();
    file = await startBackend('file');
    other = await startBackend('other');
  });
  afterAll(() => {
    file.kill();
    other.kill();
    folder.remove();
  });

  const config = (node = 'n1', more: object = {}): TestConfig => ({
    // HTTP is recognised, and goes nowhere by itself.
    protocols: [{ name: 'redis', target: file.target }, { name: 'HTTP' }],
    distributed: {
      ...{
        enable: true,
        node_id: node,
        etcd_endpoints: ground.etcd.endpoints,
        ttl: '5s',
        prefix: ground.prefix,
      },
      ...{ allow_loopback: true, config_manager: {}, ...more },
    },
  });

  async function start(node = 'n1', more: object = {}): Promise<Daemon> {
    const daemon = await startDaemon(config(node, more));
    ground.ends.push(() => daemon.stop());
    return daemon;
  }

  const put = (name: string, text: string) => ground.client.put(`${ground.prefix}/config/${name}`, text);
  const remove = (name: string) => ground.client.delete(`${ground.prefix}/config/${name}`);
  const forward = (port: number, to = other.target) => `forwards: [{ listen: ${port}, target: "${to}" }]`;

  const status = async (name: string, node = 'n1') => {
    const [item] = (await ground.client.get(`${ground.prefix}/status/${node}/${name}`)).items;
    return item && JSON.parse(item.value.toString());
  };
  const becomes = (name: string, state: string, revision: number, node = 'n1') =>
    eventually(`${name} to be ${state} by ${node}`, async () => {
      const now = await status(name, node);
      return now?.state === state && now.revision === revision && now;
    });

  /** Until who answers is this one alone; null: nobody does. */
  const answers = (port: number, name: string | null) =>
    eventually(`${name} to answer`, async () => (await asks(port)) === name);
  const asks = (port: number) => whoAnswers(port).catch(() => null);

  test('one reaches every daemon, and goes again; sessions that run are not cut', async () => {
    const [one, two] = await Promise.all(['n1', 'n2'].map((node) => start(node)));
    if (one === undefined || two === undefined) throw new Error('unreachable');
    for (const node of ['n1', 'n2'])
      await eventually(
        node,
        async () => (await ground.client.get(`${ground.prefix}/nodes/${node}`)).items[0],
      );
    const session = await dial(one.port);
    await session.send(ping).bytes(7);
    // The two share this machine: a port can be open for one, a route by address for both.
    const text = `upstreams: { other: { endpoints: ["${other.target}"] } }
routes: [{ when: { protocol: http, host: a.example }, to: other }]`;
    const revision = await put('web', text);
    const ask = async ({ port }: Daemon) => {
      const peer = (await dial(port)).send('GET / HTTP/1.1\r\nHost: a.example\r\n\r\n');
      await eventually('an answer or an end', () => peer.length >= 8 || peer.ending !== undefined);
      peer.socket.destroy();
      return peer.length >= 8;
    };
    await eventually('both to have it', async () => (await ask(one)) && (await ask(two)));
    const written = join(folder.path, 'config.json');
    writeFileSync(written, JSON.stringify({ ...config(), server: { listen: `127.0.0.1:${one.port}` } }));
    writeFileSync(join(folder.path, 'opening'), 'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n');
    const explained = await anyport(['explain', '-c', written, join(folder.path, 'opening')]);
    expect(explained.stdout).toMatch(
      new RegExp(`etcd: key ${ground.prefix}/config/web:2 .*host a\\.example`),
    );
    for (const node of ['n1', 'n2'])
      expect(await becomes('web', 'accepted', revision, node)).toMatchObject({
        in_force: revision,
        problems: [],
      });
    const counted = (accepted: number) =>
      Promise.all(
        [one, two].map((each) =>
          each.metricBecomes('anyport_cluster_fragments', accepted, { state: 'accepted' }),
        ),
      );
    await counted(1);
    expect(await answers(one.port, 'file')).toBe(true);
    await remove('web');
    await counted(0);
    await eventually('none to have it', async () => !((await ask(one)) || (await ask(two))));
    await eventually(
      'no status',
      async () => (await status('web')) === undefined && (await status('web', 'n2')) === undefined,
    );
    await session.send(ping).bytes(14);
    session.socket.destroy();
    expect(one.lines.filter(({ msg }) => msg === 'reloaded').map(({ cause }) => cause)).toEqual([
      'etcd',
      'etcd',
    ]);
  });

  test('a bad one is refused with the reason and its place, the rest goes on; what it said before stays', async () => {
    const { daemon, site, port: control } = await startControlled(config());
    ground.ends.push(() => daemon.stop());
    const [good, second] = [await freePort(), await freePort()];
    const first = await put('a', forward(good));
    await answers(good, 'other');
    const origins = (await site.get('/api/v1/upstreams')).body.upstreams.find(
      ({ name }: { name: string }) => name === `:${good}`,
    );
    const from = `etcd: key ${ground.prefix}/config/a:1`;
    expect(origins).toMatchObject({ from, endpoints: [{ name: other.target, from }] });
    const bad = {
      a: 'forwards:\n  - lisen: 1\n',
      listener: forward(daemon.port),
      huge: 'x'.repeat(300_000),
      secret: `upstreams: { x: { endpoints: ["\${HOME}:80"] } }`,
      admin: 'admin: { token: "" }',
    };
    const revisions: Record<string, number> = {};
    for (const [name, text] of Object.entries(bad)) revisions[name] = await put(name, text);
    const last = await put('z', forward(second));
    await answers(second, 'other');
    const problems = async (name: string) =>
      (await becomes(name, 'refused', revisions[name] ?? 0)).problems.join('\n');
    expect(await problems('a')).toContain(
      '2:5: forwards[0].lisen: unknown key `lisen`: did you mean `listen`?',
    );
    expect(await status('a')).toMatchObject({ in_force: first });
    expect(await problems('listener')).toMatch(new RegExp(`^1:12: forwards\\[0\\]: .*:${daemon.port}`));
    expect(await problems('huge')).toBe('has 300000 bytes, where 262144 are allowed');
    expect(await problems('secret')).toContain(
      '1:31: upstreams.x.endpoints[0]: a reference to the environment',
    );
    expect(await problems('admin')).toContain('1:1: admin: is for the file alone');
    await answers(good, 'other');
    await answers(daemon.port, 'file');
    const { leftOut, fragments } = (await site.get('/api/v1/status')).body.cluster;
    expect(fragments).toEqual({ accepted: 1, refused: 5, waiting: 0 });
    expect(leftOut.join('\n')).toContain(
      `key ${ground.prefix}/config/admin: 1:1: admin: is for the file alone`,
    );
    const written = join(folder.path, 'config.json');
    writeFileSync(written, JSON.stringify(config()));
    const { stdout } = await anyport(['cluster', '-c', written]);
    const row = (...cells: string[]) => new RegExp(cells.join(' +'));
    expect(stdout).toMatch(row('z', 'n1', 'accepted', `${last}`, `${last}`, '-\n'));
    expect(stdout).toMatch(row('a', 'n1', 'refused', `${revisions.a}`, `${first}`, '2:5: forwards'));
    const said = daemon.lines.filter(({ msg }) => msg.includes('`lisen`'));
    expect(said.map(({ level }) => level)).toEqual(['warn']);
    const mended = await put('a', forward(good, file.target));
    await answers(good, 'file');
    await becomes('a', 'accepted', mended);
    expect((await anyport(['status', '--admin', `127.0.0.1:${control}`])).stdout).toMatch(
      /^configuration +\/.*anyport\.yaml, since .*\n +\/.*anyport\.yaml: 2 protocols\n +etcd: key .*\/config\/a: 1 forward$/m,
    );
  });

  test('one that changes all the time holds up no other', async () => {
    await start();
    const port = await freePort();
    let isOver = false as boolean;
    let changes = 0;
    const restless = (async () => {
      for (; !isOver; changes += 1)
        await put('restless', `upstreams: { x: { endpoints: ["10.0.0.${changes % 250}:1"] } }`);
    })();
    const revision = await put('shop', forward(port));
    await becomes('shop', 'accepted', revision);
    isOver = true;
    await restless;
    await answers(port, 'other');
    expect(changes).toBeGreaterThan(10);
  });

  test('a port that another program has is waited for; a name that the file takes is the file’s', async () => {
    const [busy, free] = [await freePort(), await freePort()];
    const occupant = createServer().listen(busy, '127.0.0.1');
    await once(occupant, 'listening');
    const waits = await put('busy', forward(busy));
    const daemon = await start();
    await put('free', forward(free));
    await answers(free, 'other');
    expect((await becomes('busy', 'waiting', waits)).problems.join()).toContain(`${busy}`);
    occupant.close();
    // Each change tries all again.
    const named = await put('named', `upstreams: { web: { endpoints: ["${other.target}"] } }`);
    await answers(busy, 'other');
    await becomes('busy', 'accepted', waits);
    await becomes('named', 'accepted', named);
    const takes = { ...config(), upstreams: { web: { endpoints: [file.target] } } };
    expect(await daemon.reload(takes)).toMatchObject({ msg: 'reloaded' });
    expect((await becomes('named', 'refused', named)).problems).toEqual([
      '1:14: upstreams.web: upstream `web` is there already, from the file',
    ]);
    expect(await daemon.reload(config())).toMatchObject({ msg: 'reloaded' });
    await becomes('named', 'accepted', named);
    expect(await daemon.reload(config('n1', { config_manager: { enable: false } }))).toMatchObject({
      msg: 'reloaded',
    });
    await answers(busy, null);
    await eventually('no status', async () => (await status('named')) === undefined);
  });

  test('without etcd all stays, also at a start; when it is back what has changed is found', async () => {
    const state = { state_file: join(folder.path, 'state.json') };
    const daemon = await start('n1', state);
    const [a, b] = [await freePort(), await freePort()];
    await put('a', forward(a));
    await answers(a, 'other');
    await eventually('the state on disk', () => existsSync(state.state_file));
    await ground.etcd.members[0]?.down();
    await daemon.line('etcd can not be used: what was known last stays');
    await answers(a, 'other');
    await daemon.stop();
    const next = await start('n1', state);
    // Before anything is asked of etcd again: with the first configuration.
    expect(await whoAnswers(a)).toBe('other');
    expect(next.lines.some(({ msg }) => msg === 'reloaded')).toBe(false);
    await ground.etcd.members[0]?.up();
    await put('b', forward(b));
    await remove('a');
    await answers(b, 'other');
    await answers(a, null);
  });

  test('an upgrade in place goes on with them: their ports are open all the time', async () => {
    const port = await freePort();
    await put('a', forward(port));
    const generations = await startGenerations(config());
    expect(await whoAnswers(port)).toBe('other');
    const session = await dial(port);
    await session.send(ping).bytes(8);
    const revision = await put('b', 'upstreams: {}');
    await becomes('b', 'accepted', revision);
    await generations.upgrade();
    expect(await whoAnswers(port)).toBe('other');
    await session.send(ping).bytes(16);
    session.socket.destroy();
    await eventually('the old process to end', () => generations.living.length === 1);
    const later = await put('b', 'routes: []');
    await becomes('b', 'accepted', later);
    expect(generations.daemon.lines.some(({ msg }) => msg.includes('nothing wants'))).toBe(false);
    await generations.stop();
  });
});

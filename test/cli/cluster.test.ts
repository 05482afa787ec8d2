/** `anyport cluster` on a real etcd: tables for people, and what strangers have written is named, not shown. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { formatNote } from '../../src/cluster/ban-notes.js';
import type { EtcdClient } from '../../src/cluster/etcd/client.js';
import { anyport } from '../support/daemon.js';
import { Etcd, etcdTools } from '../support/etcd.js';
import { type TempFolder, tempFolder } from '../support/temp.js';
import { describeWith } from '../support/tools.js';

const SECRET = 'k'.repeat(32);
const HOSTILE = '\u001b]0;owned\u0007\u202e';

describeWith(...etcdTools)('anyport cluster', () => {
  let etcd: Etcd;
  let client: EtcdClient;
  let folder: TempFolder;
  beforeAll(async () => {
    etcd = await Etcd.start();
    client = etcd.client();
    folder = tempFolder();
  });
  afterAll(async () => {
    client.close();
    await etcd.remove();
    folder.remove();
  });

  /** Each test has a part of etcd of its own. */
  async function cluster(prefix: string, ...flags: string[]) {
    const distributed = { enable: true, node_id: 'n1', etcd_endpoints: etcd.endpoints, prefix };
    const file = join(folder.path, 'config.json');
    const text = { distributed: { ...distributed, cluster_key: SECRET, config_manager: {} } };
    writeFileSync(file, JSON.stringify({ ...text, protocols: [{ name: 'HTTP', target: '10.0.0.1:80' }] }));
    return anyport(['cluster', '-c', file, ...flags]);
  }

  test('votes of each endpoint, with who is heard of when, and bans of each node', async () => {
    const lease = (await client.grant(60)).id;
    for (const node of ['n1', 'n2', 'n3']) await client.put(`/votes/nodes/${node}`, '{}', lease);
    const says = (node: string, down: string[], up: string[]) =>
      client.put(`/votes/health/${node}`, JSON.stringify({ down: { web: down }, up: { web: up } }));
    await says('n1', ['10.0.0.1:80'], ['10.0.0.2:80', '10.0.0.3:80']);
    const revision = await says('n2', ['10.0.0.1:80', '10.0.0.3:80'], ['10.0.0.2:80']);
    const bans = ['192.0.2.7', '2001:db8::'].map((address) => ({ address, leftMs: 60_000 }));
    await client.put('/votes/bans/n2', formatNote(SECRET, '/votes/bans/n2', revision, bans));
    const { stdout } = await cluster('/votes');
    const row = (...cells: string[]) => new RegExp(`^${cells.join(' +')}$`, 'm');
    const heard = '(\\d to )?\\d s ago';
    expect(stdout).toMatch(row('UPSTREAM', 'ENDPOINT', 'MOST SAY', 'DOWN', 'UP', 'HEARD'));
    expect(stdout).toMatch(row('web', '10\\.0\\.0\\.1:80', 'down', 'n1, n2', '-', heard));
    expect(stdout).toMatch(row('web', '10\\.0\\.0\\.2:80', 'up', '-', 'n1, n2', heard));
    expect(stdout).toMatch(row('web', '10\\.0\\.0\\.3:80', '-', 'n2', 'n1', heard));
    expect(stdout).toMatch(row('n2', '2', '192\\.0\\.2\\.7, 2001:db8::'));
    expect(stdout).not.toContain('left out');
    expect(stdout).not.toContain(SECRET);
  });

  test('a stranger’s keys and values are left out by name, escaped and cut; the rest is shown', async () => {
    await client.put('/odd/nodes/n1', JSON.stringify({ address: HOSTILE }));
    await client.put('/odd/health/n1', JSON.stringify({ up: { web: ['10.0.0.1:80', `${'\u009b'}31m`] } }));
    const hostile: Record<string, [value: string | Buffer, fault: string]> = {
      [`health/${HOSTILE}`]: ['{}', 'expected a key such as /odd/health/node-1'],
      [`health/${'x'.repeat(100_000)}`]: ['{}', 'expected a key such as /odd/health/node-1'],
      'health/ghost': ['{"down":{"web":["10.0.0.1:80"]}}', 'of no node that is registered'],
      'health/huge': ['x'.repeat(100_000), 'a value of 100000 bytes, where 65536 are allowed'],
      'health/binary': [Buffer.from([0xff, 0]), 'a value that is no UTF-8'],
      'health/lines': [
        JSON.stringify({ up: { [HOSTILE]: ['a:1'] } }),
        'up: expected lists of endpoints by upstream',
      ],
      'bans/forged': [
        JSON.stringify({ signed: '{"revision":1,"bans":[["192.0.2.66",1000]]}', hmac: '0'.repeat(64) }),
        'not signed with the `cluster_key` of this node',
      ],
      [`status/n1/${HOSTILE}`]: ['{"state":"accepted"}', 'expected a key such as /odd/status/node-1/NAME'],
      [`services/${HOSTILE}/x`]: ['{}', 'expected a key such as /odd/services/NAME/INSTANCE'],
    };
    for (const [key, [value]] of Object.entries(hostile)) await client.put(`/odd/${key}`, value);
    const { status, stdout } = await cluster('/odd');
    const json = (await cluster('/odd', '--json')).stdout;
    expect(status).toBe(0);
    const leftOut = stdout.split('\n').filter((line) => line.startsWith('left out: '));
    expect(leftOut).toHaveLength(Object.keys(hostile).length);
    for (const [, fault] of Object.values(hostile))
      expect(leftOut.some((line) => line.endsWith(`: ${fault}`))).toBe(true);
    for (const line of leftOut) expect(line.length).toBeLessThan(500);
    expect(stdout).toContain('10.0.0.1:80');
    expect(stdout).not.toContain('192.0.2.66');
    for (const text of [stdout, json])
      expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
    expect(JSON.parse(json).left_out).toHaveLength(leftOut.length);
  });
});

/** This node in real etcd: its key under a lease that is kept, lost, granted again and revoked. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.js';
import type { EtcdClient } from '../../src/cluster/etcd/client.js';
import { type NodeRecord, nodeKey, parseNode } from '../../src/cluster/nodes.js';
import { Registration, type RegistrationOptions } from '../../src/cluster/registration.js';
import { Etcd, etcdTools } from '../support/etcd.js';
import { describeWith } from '../support/tools.js';
import { eventually } from '../support/wait.js';

const record = (more: Partial<NodeRecord> = {}): NodeRecord => ({
  id: 'n1',
  address: '10.0.0.1:9090',
  version: '1.2.3',
  load: 0,
  instance: 'one',
  startedMs: 1_000_000,
  ...more,
});

describeWith(...etcdTools)('a registration', () => {
  let etcd: Etcd;
  let client: EtcdClient;
  const registrations: Registration[] = [];
  beforeEach(async () => {
    etcd = await Etcd.start();
    client = etcd.client();
  });
  afterEach(async () => {
    await Promise.all(registrations.splice(0).map((each) => each.stop()));
    client.close();
    await etcd.remove();
  });

  function register(describe: () => NodeRecord, options: Partial<RegistrationOptions> = {}) {
    const told: string[] = [];
    const registration = new Registration({
      client,
      prefix: '/anyport',
      ttlS: 2,
      describe,
      clock: systemClock,
      chance: Math.random,
      onFailure: ({ message }) => told.push(message),
      onRegistered: () => told.push('registered'),
      ...options,
    });
    registrations.push(registration);
    registration.start();
    return { registration, told };
  }

  async function registered(): Promise<NodeRecord | undefined> {
    const [item] = (await client.get(nodeKey('/anyport', 'n1'))).items;
    const parsed = item && parseNode('/anyport', item.key, item.value);
    return parsed !== undefined && 'node' in parsed ? parsed.node : undefined;
  }

  test('says what the node is, and what its load is now', async () => {
    let load = 1;
    const { told } = register(() => record({ load }));
    await eventually('the key', registered);
    expect(await registered()).toEqual(record({ load: 1 }));
    load = 7;
    await eventually('the new load', async () => (await registered())?.load === 7);
    expect(told).toEqual(['registered']);
  });

  test('is gone at once when it stops', async () => {
    const { registration } = register(() => record());
    await eventually('the key', registered);
    await registration.stop();
    expect(await registered()).toBeUndefined();
    expect(registration.isRegistered).toBe(false);
  });

  test('a lease that is lost is granted again, which is no failure', async () => {
    const { registration, told } = register(() => record());
    await eventually('the registration', () => told.length === 1);
    const lost = registration.lease ?? '';
    await client.revoke(lost);
    expect(await registered()).toBeUndefined();
    await eventually('the key again', registered);
    expect(registration.lease).not.toBe(lost);
    expect(told).toEqual(['registered']);
  });

  test('a key that somebody has deleted is written again', async () => {
    const { told } = register(() => record());
    await eventually('the registration', () => told.length === 1);
    expect(await client.delete(nodeKey('/anyport', 'n1'))).toBe(1);
    await eventually('the key again', registered);
  });

  test('outlives etcd, and is there again afterwards; both are said', async () => {
    const { told } = register(() => record());
    // The key is seen before its writer has the answer.
    await eventually('the registration', () => told.length === 1);
    await etcd.members[0]?.down();
    await eventually('the outage to be told', () => told.length === 2);
    await etcd.members[0]?.up();
    await eventually('the end to be told', () => told.at(-1) === 'registered');
    expect(told[1]).toContain('etcd at 127.0.0.1');
    expect(await registered()).toEqual(record());
  });

  test('further keys live with it: written, changed, deleted, written again with another lease, gone at its end', async () => {
    const textOf = async (key: string) => (await client.get(key)).items[0]?.value.toString();
    const { registration } = register(() => record());
    registration.keep('/anyport/health/n1', 'one');
    registration.keep('/anyport/status/n1/web', 'fine');
    await eventually('both', () => textOf('/anyport/status/n1/web'));
    expect(await textOf('/anyport/health/n1')).toBe('one');
    registration.keep('/anyport/health/n1', 'two');
    registration.keep('/anyport/status/n1/web', null);
    await eventually('the other value', async () => (await textOf('/anyport/health/n1')) === 'two');
    await eventually('the deletion', async () => (await textOf('/anyport/status/n1/web')) === undefined);
    await client.revoke(registration.lease ?? '');
    expect(await textOf('/anyport/health/n1')).toBeUndefined();
    await eventually('the value again', async () => (await textOf('/anyport/health/n1')) === 'two');
    await registration.stop();
    expect(await textOf('/anyport/health/n1')).toBeUndefined();
  });

  test("another process goes on with the lease: the key stays all the time, and is not the other process's to delete", async () => {
    const first = register(() => record({ load: 1 }));
    await eventually('the key', registered);
    const { lease } = first.registration;
    first.registration.release();
    const second = register(() => record({ load: 2 }), { lease });
    await eventually('the second', async () => (await registered())?.load === 2);
    await first.registration.stop();
    expect(second.registration.lease).toBe(lease);
    expect((await registered())?.load).toBe(2);
  });

  test('an id that another has is not taken; it is when the other is gone', async () => {
    const other = register(() => record({ instance: 'other', address: '10.0.0.2:9090' }));
    await eventually('the key', registered);
    const { registration, told } = register(() => record());
    await eventually('the refusal', () => told.length > 0);
    expect(told[0]).toContain('another node has the id `n1` (10.0.0.2:9090)');
    expect((await registered())?.instance).toBe('other');
    expect(registration.isRegistered).toBe(false);
    await other.registration.stop();
    await eventually('the id', async () => (await registered())?.instance === 'one');
  });
});

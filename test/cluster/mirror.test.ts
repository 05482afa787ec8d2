/** A mirror of a prefix: the difference of lists, and against real etcd what a watch does not show. */
import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.js';
import type { EtcdClient } from '../../src/cluster/etcd/client.js';
import { EtcdFailure } from '../../src/cluster/etcd/failure.js';
import { advanced, HELD_BYTES_MAX, type Held, NOTHING_HELD, relisted } from '../../src/cluster/etcd/held.js';
import { Mirror, type MirrorOptions } from '../../src/cluster/etcd/mirror.js';
import type { KeyValue } from '../../src/cluster/etcd/wire.js';
import { Etcd, etcdTools } from '../support/etcd.js';
import { describeWith } from '../support/tools.js';
import { eventually } from '../support/wait.js';

const item = (key: string, value: string, modRevision: number): KeyValue => ({
  key,
  value: Buffer.from(value),
  modRevision,
});
const held = (revision: number, ...items: KeyValue[]): Held => ({
  items: new Map(items.map((each) => [each.key, each])),
  revision,
});

describe('what is held', () => {
  const before = held(9, item('a', '1', 3), item('b', '1', 4));

  const lists = [
    { why: 'the same', items: [item('a', '1', 3), item('b', '1', 4)], expect: [] },
    { why: 'one is gone', items: [item('a', '1', 3)], expect: ['-b'] },
    { why: 'one is new', items: [...before.items.values(), item('c', '1', 10)], expect: ['+c'] },
    { why: 'another value', items: [item('a', '2', 10), item('b', '1', 4)], expect: ['+a'] },
    {
      why: 'another value of a store made anew',
      items: [item('a', '2', 3), item('b', '1', 4)],
      expect: ['+a'],
    },
    { why: 'all have been deleted', items: [], expect: ['-a', '-b'] },
  ];
  test.each(lists)('a list: $why', ({ items, expect: expected }) => {
    const step = relisted(before, { items, revision: 10, more: false });
    expect(step.changes.map(({ key, now }) => `${now === null ? '-' : '+'}${key}`)).toEqual(expected);
    expect([...step.held.items.values()]).toEqual(items);
    expect(step.held.revision).toBe(10);
  });

  test('an empty list of a store that has lost its revisions is refused', () => {
    expect(() => relisted(before, { items: [], revision: 1, more: false })).toThrow(EtcdFailure);
    expect(relisted(NOTHING_HELD, { items: [], revision: 1, more: false }).changes).toEqual([]);
  });
  test('a list that is not whole is refused', () =>
    expect(() => relisted(before, { items: [], revision: 10, more: true })).toThrow('more than 10000 keys'));

  test('of events no more is taken than a list may have', () => {
    const large = Buffer.alloc(HELD_BYTES_MAX / 4);
    const put = (key: string) => ({ type: 'put', item: { key, value: large, modRevision: 10 } }) as const;
    const three = advanced(before, ['c', 'd', 'e'].map(put), 10).held;
    expect(advanced(three, [put('c'), put('d')], 11).held.items.size).toBe(5);
    expect(() => advanced(three, [put('f')], 11)).toThrow(`keys of more than ${HELD_BYTES_MAX} bytes`);
  });

  test('events: the last of one key counts, and what ends as it began is no change', () => {
    const c = item('c', '1', 10);
    const step = advanced(
      before,
      [
        { type: 'put', item: c },
        { type: 'delete', key: 'c', modRevision: 11 },
        { type: 'put', item: item('a', '2', 12) },
        { type: 'put', item: item('a', '3', 13) },
      ],
      13,
    );
    expect(step.changes.map(({ key, now }) => [key, String(now?.value)])).toEqual([['a', '3']]);
    expect([...step.held.items.keys()]).toEqual(['a', 'b']);
  });
});

describeWith(...etcdTools)('a mirror of etcd', () => {
  const ends: (() => Promise<void> | void)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
  });

  async function etcdWith(pairs: Record<string, string>): Promise<{ etcd: Etcd; client: EtcdClient }> {
    const etcd = await Etcd.start();
    const client = etcd.client();
    ends.unshift(() => client.close());
    ends.push(() => etcd.remove());
    for (const [key, value] of Object.entries(pairs)) await client.put(key, value);
    return { etcd, client };
  }

  function mirrorOf(client: MirrorOptions['client'], options: Partial<MirrorOptions> = {}) {
    const told: string[] = [];
    const mirror = new Mirror({
      client,
      prefix: 'p/',
      refreshMs: 3_600_000,
      clock: systemClock,
      chance: Math.random,
      onChange: () => {},
      onFailure: ({ message }, keeping) => told.push(`failing, keeping ${keeping}: ${message}`),
      onRecovery: () => told.push('recovered'),
      ...options,
    });
    ends.unshift(() => mirror.stop());
    return { mirror, told };
  }

  const shown = ({ items }: Mirror): string =>
    [...items.values()].map(({ key, value }) => `${key}=${value}`).join(' ');
  const shows = (mirror: Mirror, text: string) =>
    eventually(`the mirror to show ${text}, not ${shown(mirror)}`, () => shown(mirror) === text);

  test('has the list when it has started, and follows', async () => {
    const { client } = await etcdWith({ 'p/a': '1', other: 'x' });
    const { mirror, told } = mirrorOf(client);
    await mirror.start();
    expect(shown(mirror)).toBe('p/a=1');
    await client.put('p/b', '2');
    await client.delete('p/a');
    await shows(mirror, 'p/b=2');
    expect(told).toEqual([]);
  });

  test('compaction under a watch: lists again, and finds what was missed', async () => {
    const { etcd, client } = await etcdWith({ 'p/a': '1', 'p/b': '1' });
    let watches = 0;
    // Between its list and its watch the world changes and history is forgotten.
    const between: MirrorOptions['client'] = {
      list: (prefix, limit) => client.list(prefix, limit),
      watch: async (prefix, revision) => {
        watches += 1;
        if (watches === 1) {
          await client.delete('p/a');
          await etcd.compact(await client.put('p/c', '3'));
        }
        return client.watch(prefix, revision);
      },
    };
    const { mirror, told } = mirrorOf(between);
    await mirror.start();
    await shows(mirror, 'p/b=1 p/c=3');
    expect(watches).toBe(2);
    expect(told).toEqual([]);
  });

  test('without etcd keeps what it has, says so, and finds the rest afterwards', async () => {
    const { etcd, client } = await etcdWith({ 'p/a': '1', 'p/b': '1' });
    const { mirror, told } = mirrorOf(client);
    await mirror.start();
    await etcd.members[0]?.down();
    await eventually('the outage to be told', () => told.length > 0);
    expect(shown(mirror)).toBe('p/a=1 p/b=1');
    await etcd.members[0]?.up();
    await etcd.answers();
    await client.delete('p/a');
    await client.put('p/c', '1');
    await shows(mirror, 'p/b=1 p/c=1');
    await eventually('the end of the outage to be told', () => told.at(-1) === 'recovered');
    expect(told[0]).toMatch(/^failing, keeping 2: etcd at 127\.0\.0\.1:\d+: /);
  });

  test('a refresh finds what a watch does not show', async () => {
    const { client } = await etcdWith({ 'p/a': '1' });
    const blind: MirrorOptions['client'] = {
      list: (prefix, limit) => client.list(prefix, limit),
      // Of another prefix: a watch that lives and says nothing.
      watch: (_, revision) => client.watch('nothing/', revision),
    };
    const { mirror } = mirrorOf(blind, { refreshMs: 50 });
    await mirror.start();
    await client.put('p/b', '2');
    await client.delete('p/a');
    await shows(mirror, 'p/b=2');
  });

  test('starts without etcd with what was known, and no empty list replaces it', async () => {
    const { etcd, client } = await etcdWith({ 'p/a': 'now' });
    await etcd.members[0]?.down();
    const changes: string[] = [];
    const { mirror, told } = mirrorOf(client, {
      initial: held(2, item('p/a', 'then', 2)),
      onChange: (_, changed) => changes.push(...changed.map(({ now }) => String(now?.value))),
    });
    await mirror.start();
    expect(shown(mirror)).toBe('p/a=then');
    expect(mirror.isListed).toBe(false);
    expect(told).toHaveLength(1);
    await etcd.members[0]?.up();
    await shows(mirror, 'p/a=now');
    expect(changes).toEqual(['now']);
  });

  test('a store that was made anew and is empty does not empty it', async () => {
    const { client } = await etcdWith({});
    const { mirror, told } = mirrorOf(client, { initial: held(1000, item('p/a', 'then', 900)) });
    await mirror.start();
    expect(shown(mirror)).toBe('p/a=then');
    expect(told[0]).toContain('etcd has lost its data');
    await client.put('p/b', 'new');
    await shows(mirror, 'p/b=new');
  });

  test('each of three members dies and comes back: nothing is lost, and what changes meanwhile is found', async () => {
    const etcd = await Etcd.start(3);
    const client = etcd.client();
    ends.push(
      () => client.close(),
      () => etcd.remove(),
    );
    const { mirror } = mirrorOf(client);
    await mirror.start();
    for (const [index, member] of etcd.members.entries()) {
      await member.down();
      // The first call may meet an election.
      await eventually('a leader', () =>
        client.put(`p/${index}`, 'x').then(
          () => true,
          () => false,
        ),
      );
      await eventually('the change', () => mirror.items.size === index + 1);
      await member.up();
      await etcd.answers();
    }
  }, 120_000);

  test('5,000 keys, and a burst of 500 changes', async () => {
    const { client } = await etcdWith({});
    const put = (keys: readonly number[], value: string) =>
      client.transact(
        [],
        keys.map((key) => ({ put: `p/${String(key).padStart(4, '0')}`, value })),
      );
    const hundreds = Array.from({ length: 50 }, (_, start) =>
      Array.from({ length: 100 }, (_each, index) => start * 100 + index),
    );
    for (const keys of hundreds) await put(keys, '1');
    const { mirror } = mirrorOf(client);
    await mirror.start();
    expect(mirror.items.size).toBe(5000);
    for (const keys of hundreds.slice(0, 5)) await put(keys, '2');
    await eventually(
      'the changes',
      () => [...mirror.items.values()].filter(({ value }) => String(value) === '2').length === 500,
    );
    expect(mirror.items.size).toBe(5000);
  });
});

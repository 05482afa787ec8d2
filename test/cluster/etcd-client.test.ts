/** The client against real etcd: keys, transactions, leases, watches; members that are gone or frozen; TLS and users. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { EtcdClient, type EtcdOptions } from '../../src/cluster/etcd/client.js';
import { EtcdFailure } from '../../src/cluster/etcd/failure.js';
import type { WatchEvent, WatchMessage } from '../../src/cluster/etcd/wire.js';
import type { ClientTls } from '../../src/model/client-tls.js';
import { Authority } from '../support/authority.js';
import { Etcd, etcdTools } from '../support/etcd.js';
import { freePort } from '../support/ports.js';
import { describeWith } from '../support/tools.js';
import { eventually } from '../support/wait.js';

const failing = (work: Promise<unknown>): Promise<EtcdFailure> =>
  work.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: unknown) => {
      if (error instanceof EtcdFailure) return error;
      throw error;
    },
  );

/** As many events as asked for. */
async function eventsOf(messages: AsyncIterable<WatchMessage>, count: number): Promise<WatchEvent[]> {
  const events: WatchEvent[] = [];
  for await (const message of messages) {
    if (message.type === 'events') events.push(...message.events);
    if (events.length >= count) break;
  }
  return events;
}

describeWith(...etcdTools)('a client of one etcd', () => {
  let etcd: Etcd;
  let client: EtcdClient;
  beforeAll(async () => {
    etcd = await Etcd.start();
    client = etcd.client();
  });
  afterAll(async () => {
    client.close();
    await etcd.remove();
  });

  test('values are bytes, and a list is what has the prefix, in order', async () => {
    const bytes = Buffer.from([0, 255, 10, 34]);
    await client.put('list/b', bytes);
    await client.put('list/ä', 'umlaut');
    await client.put('list0', 'no part of it');
    const { items, more } = await client.list('list/', 10);
    expect(items.map(({ key }) => key)).toEqual(['list/b', 'list/ä']);
    expect(items[0]?.value.equals(bytes)).toBe(true);
    expect(more).toBe(false);
    expect((await client.list('list/', 1)).more).toBe(true);
  });

  test('a key that is no UTF-8 is named by its bytes', async () => {
    const key = Buffer.concat([Buffer.from('bytes/'), Buffer.from([0xff, 0x41])]).toString('base64');
    await etcd.admin('/v3/kv/put', { key, value: '' });
    const { items } = await client.list('bytes/', 10);
    expect(items.map((item) => item.key)).toEqual(['bytes/\\xffA']);
  });

  test('delete says how many there were', async () => {
    await client.put('gone/a', '');
    await client.put('gone/b', '');
    expect(await client.delete('gone/a')).toBe(1);
    expect(await client.deletePrefix('gone/')).toBe(1);
    expect(await client.delete('gone/a')).toBe(0);
  });

  test('a transaction does one thing or the other', async () => {
    const create = () =>
      client.transact([{ key: 'txn', exists: false }], [{ put: 'txn', value: '1' }], [{ get: 'txn' }]);
    expect((await create()).succeeded).toBe(true);
    const again = await create();
    expect(again.succeeded).toBe(false);
    const [item] = again.found[0]?.items ?? [];
    expect(String(item?.value)).toBe('1');
    const changed = await client.transact(
      [{ key: 'txn', modRevision: item?.modRevision ?? 0 }],
      [{ put: 'txn', value: '2' }],
    );
    expect(changed.succeeded).toBe(true);
    expect((await client.transact([{ key: 'txn', modRevision: 1 }], [{ delete: 'txn' }])).succeeded).toBe(
      false,
    );
  });

  test('a lease takes its keys along when it is revoked; then it is gone', async () => {
    const lease = await client.grant(60);
    await client.put('leased', 'x', lease.id);
    expect(await client.keepAlive(lease.id)).toBe(60);
    await client.revoke(lease.id);
    expect((await client.get('leased')).items).toEqual([]);
    expect(await client.keepAlive(lease.id)).toBeNull();
    await client.revoke(lease.id);
    expect((await failing(client.put('leased', 'x', lease.id))).kind).toBe('missing');
  });

  test('a watch shows changes from its revision on, and those to come', async () => {
    const first = await client.put('watch/a', '1');
    const watch = await client.watch('watch/', first);
    const events = eventsOf(watch.messages, 3);
    await client.put('other', '');
    await client.put('watch/a', '2');
    await client.delete('watch/a');
    const seen = (await events).map((event) =>
      event.type === 'put' ? String(event.item.value) : event.type,
    );
    expect(seen).toEqual(['1', '2', 'delete']);
  });

  test('a watch from a revision that is compacted is canceled, and says so', async () => {
    const first = await client.put('compact/a', '1');
    const last = await client.put('compact/a', '2');
    await etcd.compact(last);
    const watch = await client.watch('compact/', first);
    const messages: WatchMessage[] = [];
    for await (const message of watch.messages) messages.push(message);
    expect(messages.at(-1)).toMatchObject({ type: 'canceled', compactRevision: last });
  });

  test('a watch that is closed ends', async () => {
    const watch = await client.watch('closed/', 1);
    const messages = (async () => {
      const types: string[] = [];
      for await (const { type } of watch.messages) types.push(type);
      return types;
    })();
    await client.put('other', '');
    watch.close();
    watch.close();
    expect((await messages).filter((type) => type !== 'created')).toEqual([]);
  });

  test('a request that is too large is not sent', async () => {
    const failure = await failing(client.put('large', Buffer.alloc(2 * 1024 * 1024)));
    expect(failure.kind).toBe('too_large');
  });
});

describeWith(...etcdTools)('endpoints', () => {
  const ends: (() => Promise<void> | void)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
  });
  async function started(count: number): Promise<Etcd> {
    const etcd = await Etcd.start(count);
    ends.push(() => etcd.remove());
    return etcd;
  }
  function clientOf(options: ConstructorParameters<typeof EtcdClient>[0]): EtcdClient {
    const client = new EtcdClient(options);
    ends.push(() => client.close());
    return client;
  }

  test('nobody listens: unreachable, and unsent, with the address', async () => {
    const port = await freePort();
    const failure = await failing(clientOf({ endpoints: [`http://127.0.0.1:${port}`] }).get('a'));
    expect(failure).toMatchObject({ kind: 'unreachable', unsent: true });
    expect(failure.message).toContain(`127.0.0.1:${port}`);
  });

  test.each([
    ['a page', '<html>'],
    ['an object of another service', '{"kvs":[7],"more":false}'],
    ['a header that is none', '{"header":"7","kvs":[]}'],
    ['a list', '[]'],
    ['half of an answer', '{"header":{"revision":"7"},"kvs":[{"key"'],
  ])('what answers is no etcd, but %s: said so, and the next is asked', async (_, text) => {
    const web = createServer((_, response) => response.end(text)).listen(0, '127.0.0.1');
    ends.push(() => void web.close().closeAllConnections());
    await eventually('the server to listen', () => web.listening);
    const wrong = `http://127.0.0.1:${(web.address() as AddressInfo).port}`;
    const failure = await failing(clientOf({ endpoints: [wrong] }).get('a'));
    expect(failure.kind).toBe('unreachable');
    expect(failure.message).toContain("no answer of etcd's JSON gateway");
    const etcd = await started(1);
    await clientOf({ endpoints: [wrong, ...etcd.endpoints] }).put('a', 'b');
  });

  test('an error is one line, which commands no terminal', async () => {
    const said = '{"error":"\\u001b[2J\\nready","code":9,"message":"\\u001b[2J\\nready"}';
    const web = createServer((_, response) => response.writeHead(400).end(said)).listen(0, '127.0.0.1');
    ends.push(() => void web.close().closeAllConnections());
    await eventually('the server to listen', () => web.listening);
    const { port } = web.address() as AddressInfo;
    const failure = await failing(clientOf({ endpoints: [`http://127.0.0.1:${port}`] }).get('a'));
    expect(failure.message).toBe(`etcd at 127.0.0.1:${port}: \\x1b[2J\\x0aready`);
  });

  test('a member that is frozen costs its share of the deadline, once', async () => {
    const etcd = await started(3);
    const client = clientOf({ endpoints: etcd.endpoints, callMs: 30_000 });
    await client.put('a', '1');
    // Whoever is the leader: a frozen one is followed by another, which takes an election.
    etcd.members[0]?.freeze();
    await client.put('a', '2').catch(() => client.put('a', '2'));
    expect(String((await client.get('a')).items[0]?.value)).toBe('2');
    etcd.members[0]?.thaw();
  }, 120_000);

  test('without a majority a read fails, and does not answer from what one member knows', async () => {
    const etcd = await started(3);
    const client = clientOf({ endpoints: etcd.endpoints, callMs: 3000 });
    await client.put('a', '1');
    await etcd.members[0]?.down();
    await etcd.members[1]?.down();
    expect(['late', 'unreachable']).toContain((await failing(client.list('a', 10))).kind);
    await etcd.members[1]?.up();
    await eventually('a majority', () =>
      client.get('a').then(
        ({ items }) => items.length === 1,
        () => false,
      ),
    );
  }, 120_000);

  test('a watch is over when its member goes', async () => {
    const etcd = await started(1);
    const watch = await clientOf({ endpoints: etcd.endpoints }).watch('a', 1);
    // A member that ends in order ends the stream, too; one that dies cuts it.
    const over = eventsOf(watch.messages, 1).catch((error: EtcdFailure) => error.kind);
    await etcd.members[0]?.down();
    expect([[], 'unreachable']).toContainEqual(await over);
  });

  test('a watch is over when its member has lost its leader', async () => {
    const etcd = await started(3);
    const [endpoint = ''] = etcd.endpoints;
    const watch = await clientOf({ endpoints: [endpoint] }).watch('a', 1);
    const over = eventsOf(watch.messages, 1).catch((error: EtcdFailure) => error.message);
    await Promise.all(etcd.members.slice(1).map((member) => member.down()));
    expect(String(await over)).toMatch(/^$|no leader/);
  }, 60_000);

  test('a client that is closed says so', async () => {
    const etcd = await started(1);
    const client = etcd.client();
    const watch = await client.watch('a', 1);
    const events = eventsOf(watch.messages, 1);
    client.close();
    expect(await events).toEqual([]);
    expect((await failing(client.get('a'))).kind).toBe('closed');
  });

  test('a user logs in, and again when the token has ended; what is refused says why', async () => {
    const etcd = await Etcd.start(1, { extra: ['--bcrypt-cost', '4'] });
    ends.push(() => etcd.remove());
    const user = { name: 'alice', password: 'secret' };
    const client = clientOf({ endpoints: etcd.endpoints, user });
    expect((await failing(client.get('part/a'))).message).toContain('it has no users: leave');
    await etcd.requireUsers(user.name, user.password, [['READWRITE', 'part/']]);
    await Promise.all([client.put('part/a', '1'), client.put('part/b', '1')]);
    expect((await client.list('part/', 10)).items).toHaveLength(2);
    const denied = await failing(client.put('other', '1'));
    expect(denied.kind).toBe('denied');
    expect(denied.message).toContain(
      'permission denied: user `alice` may not write other: grant it by a role',
    );
    // Simple tokens are kept in memory only.
    await etcd.members[0]?.down();
    await etcd.members[0]?.up();
    const firstOf = async () => {
      const watch = await client.watch('part/', 1);
      for await (const { type } of watch.messages) return type;
      return 'over';
    };
    expect(await eventually('an answer', () => firstOf().catch(() => false as const))).toBe('over');
    expect(await firstOf()).toBe('created');
    await client.put('part/a', '2');
    const wrong = clientOf({ endpoints: etcd.endpoints, user: { ...user, password: 'wrong' } });
    const failure = await failing(wrong.get('part/a'));
    expect(failure.kind).toBe('login');
    expect(failure.message).toContain(
      'authentication failed, invalid user ID or password: mend `distributed.',
    );
    const asked = async () => {
      const metrics = await fetch(`${etcd.endpoints[0]}/metrics`);
      const [, count] =
        /^grpc_server_started_total{grpc_method="Authenticate",.*} (\d+)$/m.exec(await metrics.text()) ?? [];
      return Number(count);
    };
    const before = await asked();
    for (let each = 0; each < 20; each += 1) expect((await failing(wrong.get('part/a'))).kind).toBe('login');
    expect(await asked()).toBeLessThan(before + 10);
    const nobody = await failing(clientOf({ endpoints: etcd.endpoints }).get('part/a'));
    expect(nobody).toMatchObject({
      kind: 'login',
      message: expect.stringContaining('it has users: name one'),
    });
  });

  test('TLS with certificates of both sides, and what is said where one does not fit', async () => {
    const [authority, stranger] = [await Authority.create(), await Authority.create()];
    ends.push(
      () => authority.remove(),
      () => stranger.remove(),
    );
    const etcd = await Etcd.start(1, { authority });
    ends.push(() => etcd.remove());
    const { endpoints, tls } = etcd;
    if (tls === null) throw new Error('unreachable');
    await etcd.client().put('a', '1');
    const fails = (options: Partial<EtcdOptions>) =>
      failing(clientOf({ endpoints, tls, ...options }).get('a'));
    const others: ClientTls = await stranger.identity('DNS:a-node');
    const expired: ClientTls = await authority.identity('DNS:a-node', -1);
    const plain = endpoints.map((url) => url.replace('https', 'http'));
    const named = endpoints.map((url) => url.replace('127.0.0.1', 'localhost'));
    const cases: [options: Partial<EtcdOptions>, words: string, kind?: string][] = [
      [{ tls: {} }, 'an authority that is not trusted here: name that one in `distributed.tls.ca`'],
      [
        { tls: { ca: tls.ca ?? '' } },
        'takes only clients with a certificate: name one in `distributed.tls.cert`',
      ],
      [
        { tls: { ...tls, ...others } },
        'refuses the certificate of this node, `distributed.tls.cert`, which is of another',
      ],
      [
        { tls: { ...tls, ...expired } },
        'refuses the certificate of this node, `distributed.tls.cert`, which has expired (',
      ],
      [{ endpoints: named }, 'its certificate is for IP Address:127.0.0.1, not for localhost: issue one'],
      [{ endpoints: plain }, 'has hung up: if it speaks TLS, write https://', 'unreachable'],
    ];
    for (const [options, words, kind = 'untrusted'] of cases) {
      const failure = await fails(options);
      expect(failure.message).toMatch(/^etcd at (127\.0\.0\.1|localhost):\d+: [^\n]*$/);
      expect(failure.message).toContain(words);
      expect(failure.kind).toBe(kind);
    }
    const noTls = await started(1);
    const speaks = noTls.endpoints.map((url) => url.replace('http', 'https'));
    expect((await fails({ endpoints: speaks })).message).toContain('if it does not speak TLS, write http://');
  });
});

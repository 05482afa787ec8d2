/** Reloads under flows: what stays, what moves, what opens and closes. */
import { describe, expect, test } from 'vitest';
import { namedEcho } from '../../support/datagrams.js';
import { redisPing } from '../../support/flights.js';
import { freePort } from '../../support/ports.js';
import { isBoundUdp } from '../../support/proc.js';
import { dial, echo, listenTcp } from '../../support/tcp.js';
import { eventually } from '../../support/wait.js';
import { client, configTo, endpoint, later, listenerTo, start } from './stage.js';

const RELOADED = expect.objectContaining({ msg: 'reloaded' });

test('a flow keeps its endpoint while that is there, and none of its datagrams is lost', async () => {
  const [port, to, other] = [await freePort(), await endpoint(), await endpoint()];
  const daemon = await start(configTo(port, to, { server: { workers: 2 } }));
  const peers = await Promise.all(Array.from({ length: 20 }, () => client(port)));
  for (const peer of peers) await peer.ask('before');
  const config = configTo(port, [to, other], { server: { workers: 2 }, upstream: { retries: 1 } });
  const reloading = daemon.reload(config);
  for (let n = 0; n < 20; n += 1)
    for (const peer of peers) expect((await peer.ask(`${n}`)).bytes.toString()).toBe(`${n}`);
  expect(await reloading).toEqual(RELOADED);
  for (const peer of peers) expect((await peer.ask('after')).bytes.toString()).toBe('after');
  expect(to.senders).toHaveLength(peers.length);
  expect(other.senders).toEqual([]);
});

test('a refused reload changes nothing', async () => {
  const [port, to] = [await freePort(), await endpoint()];
  const daemon = await start(configTo(port, to, { server: { workers: 2 } }));
  const peers = await Promise.all(Array.from({ length: 20 }, () => client(port)));
  for (const peer of peers) await peer.ask('before');
  const taken = await endpoint();
  const config = configTo(port, to, { server: { workers: 4 } });
  const refused = await daemon.reload({
    ...config,
    listeners: [...(config.listeners ?? []), { ...listenerTo(taken.port, 'to'), name: 'taken' }],
  });
  expect(refused.msg).toMatch(/^reload refused/);
  for (const peer of peers) expect((await peer.ask('after')).bytes.toString()).toBe('after');
  expect(to.senders).toHaveLength(peers.length);
});

describe('an endpoint that is gone', () => {
  async function moved(on_reload: string) {
    const [port, one, two] = [
      await freePort(),
      await endpoint(namedEcho('one')),
      await endpoint(namedEcho('two')),
    ];
    const upstream = { udp: { on_reload } };
    const daemon = await start(configTo(port, one, { upstream }));
    const peer = await client(port);
    expect((await peer.ask('before')).bytes.toString()).toBe('one:before');
    expect(await daemon.reload(configTo(port, two, { upstream }))).toEqual(RELOADED);
    return { daemon, peer };
  }

  test('move: the next datagram goes to another one, in the same flow', async () => {
    const { daemon, peer } = await moved('move');
    expect((await peer.ask('after', { again: true })).bytes.toString()).toBe('two:after');
    await daemon.metricBecomes('anyport_accepted_total', 1);
    await daemon.metricBecomes('anyport_udp_flows', 1);
  });

  test('keep: it goes on', async () => {
    const { daemon, peer } = await moved('keep');
    expect((await peer.ask('after')).bytes.toString()).toBe('one:after');
    const other = await client(Number(peer.target?.port));
    expect((await other.ask('new')).bytes.toString()).toBe('two:new');
    await daemon.metricBecomes('anyport_udp_flows', 2);
  });

  test('close: it ends, and its client begins another', async () => {
    const { daemon, peer } = await moved('close');
    expect((await peer.ask('after', { again: true })).bytes.toString()).toBe('two:after');
    expect(await daemon.sessionOf(peer)).toMatchObject({ transport: 'udp', bytes_up: 6 });
    await daemon.metricBecomes('anyport_udp_flows', 1);
    await daemon.booksBalance();
  });
});

describe('a listener', () => {
  test('that comes is served, and one that goes is not', async () => {
    const [first, second, to] = [await freePort(), await freePort(), await endpoint()];
    const daemon = await start(configTo(first, to));
    const before = await client(first);
    await before.ask('hello');
    expect(await daemon.reload(configTo(second, to))).toEqual(RELOADED);
    expect((await (await client(second)).ask('hello')).bytes.toString()).toBe('hello');
    const late = await client(first);
    await late.send('late').catch(() => {});
    await daemon.metricBecomes('anyport_accepted_total', 2);
    expect(late.received).toEqual([]);
  });

  test('whose flows have ended leaves its port', async () => {
    const [first, second, to] = [await freePort(), await freePort(), await endpoint()];
    const server = { udp: { idle_timeout: '500ms' } };
    const daemon = await start(configTo(first, to, { server }));
    const peer = await client(first);
    await peer.ask('hello');
    expect(await daemon.reload(configTo(second, to, { server }))).toEqual(RELOADED);
    await daemon.sessionOf(peer);
    await eventually('the port to be free', () => !isBoundUdp(first));
  });

  test('takes streams too from now on, then streams alone: nobody on what stays notices', async () => {
    const [port, to, upstream] = [await freePort(), await endpoint(), await listenTcp(echo)];
    later(() => upstream.close());
    const config = (transport: string) => ({
      ...configTo(port, to, { listener: { transport } }),
      protocols: [{ name: 'Redis', target: upstream.target }],
    });
    const daemon = await start(config('udp'));
    const peer = await client(port);
    await peer.ask('1');
    expect(await daemon.reload(config('tcp+udp'))).toEqual(RELOADED);
    const session = await dial(port);
    session.send(redisPing);
    await session.bytes(redisPing.length);
    expect((await peer.ask('2')).bytes.toString()).toBe('2');
    expect(to.senders).toHaveLength(1);
    expect(await daemon.reload(config('tcp'))).toEqual(RELOADED);
    session.send(redisPing);
    await session.bytes(2 * redisPing.length);
    const late = await client(port);
    await late.send('late').catch(() => {});
    session.finish();
    expect(await session.end()).toBe('fin');
    expect(late.received).toEqual([]);
  });

  test('with another name keeps its sockets', async () => {
    const [port, to] = [await freePort(), await endpoint()];
    const daemon = await start(configTo(port, to));
    const peer = await client(port);
    await peer.ask('1');
    expect(await daemon.reload(configTo(port, to, { listener: { name: 'other' } }))).toEqual(RELOADED);
    expect((await peer.ask('2')).bytes.toString()).toBe('2');
    expect(to.senders).toHaveLength(1);
  });
});

/** Where datagrams are listened for: beside streams, by protocol, on sockets of others, and what is said of it. */
import { afterEach, expect, test } from 'vitest';
import { type Daemon, launchDaemon } from '../../support/daemon.js';
import { namedEcho } from '../../support/datagrams.js';
import { redisPing } from '../../support/flights.js';
import { freePort } from '../../support/ports.js';
import { activated } from '../../support/service-manager.js';
import { dial, echo, listenTcp, type Upstream } from '../../support/tcp.js';
import { describeWith } from '../../support/tools.js';
import { client, configTo, dnsQuery, endpoint, listenerTo, start } from './stage.js';

let upstream: Upstream | undefined;
afterEach(async () => {
  await upstream?.close();
  upstream = undefined;
});

const readyListeners = ({ lines }: Daemon) => lines.findLast(({ msg }) => msg === 'ready')?.listeners;

const said = ({ lines }: Daemon): string => lines.map(({ msg }) => msg).join('\n');

async function answers(port: number): Promise<void> {
  const peer = await dial(port);
  peer.send(redisPing);
  await peer.bytes(redisPing.length);
  peer.finish();
  expect(await peer.end()).toBe('fin');
}

test('streams and datagrams on one port, each by its protocol', async () => {
  const port = await freePort();
  const ns = await endpoint(({ bytes }, reply) => reply(Buffer.concat([Buffer.from('ns'), bytes])));
  const rest = await endpoint(namedEcho('rest'));
  upstream = await listenTcp(echo);
  const daemon = await start({
    listeners: [{ name: 'any', address: `127.0.0.1:${port}`, transport: 'tcp+udp', on_unknown: 'rest' }],
    protocols: [
      { name: 'DNS', target: ns.target },
      { name: 'Redis', target: upstream.target },
    ],
    upstreams: { rest: { endpoints: [rest.target] } },
  });
  expect(readyListeners(daemon)).toEqual([
    { name: 'any', address: `127.0.0.1:${port}`, transport: 'tcp+udp' },
  ]);
  await answers(port);
  const asking = await client(port);
  const query = dnsQuery('www.example.com');
  expect(await asking.ask(query)).toEqual({
    bytes: Buffer.concat([Buffer.from('ns'), query]),
    from: `127.0.0.1:${port}`,
  });
  const other = await client(port);
  expect((await other.ask('what is this?')).bytes.toString()).toBe('rest:what is this?');
  // The books of both: one listener.
  await daemon.metricBecomes('anyport_accepted_total', 3, { listener: 'any' });
  await daemon.metricBecomes('anyport_udp_flows', 2, { listener: 'any' });
});

test('port 0 is one port for both', async () => {
  const to = await endpoint();
  upstream = await listenTcp(echo);
  const daemon = await start({
    listeners: [{ name: 'any', address: '127.0.0.1:0', transport: 'tcp+udp', on_unknown: 'to' }],
    protocols: [{ name: 'Redis', target: upstream.target }],
    upstreams: { to: { endpoints: [to.target] } },
  });
  const [listener] = readyListeners(daemon) as { address: string }[];
  const port = Number(listener?.address.split(':').at(-1));
  await answers(port);
  expect((await (await client(port)).ask('hello')).bytes.toString()).toBe('hello');
});

test('a port that another has is refused, with who has it', async () => {
  const taken = await endpoint();
  const daemon = await launchDaemon(configTo(taken.port, taken));
  expect(await daemon.exit()).toBe(1);
  expect(said(daemon)).toMatch(
    new RegExp(
      `listener any can not take datagrams on 127\\.0\\.0\\.1:${taken.port}: the address is in use \\(EADDRINUSE\\); .*\\(pid ${process.pid}\\) listens there`,
    ),
  );
  daemon.folder.remove();
});

test('a second daemon does not share the port of the first', async () => {
  const [port, to] = [await freePort(), await endpoint()];
  await start(configTo(port, to, { server: { workers: 2 } }));
  const second = await launchDaemon(configTo(port, to, { server: { workers: 2 } }));
  expect(await second.exit()).toBe(1);
  expect(said(second)).toContain('EADDRINUSE');
  second.folder.remove();
});

test.each(['127.0.0.1', '::1'])('answers come from the address that was asked: %s', async (host) => {
  const port = await freePort();
  const to = await endpoint();
  const daemon = await start({
    listeners: [listenerTo(port, 'to', { address: `:${port}` })],
    upstreams: { to: { endpoints: [to.target] } },
  });
  const asking = await client(port, { host });
  const from = host === '::1' ? `[::1]:${port}` : `127.0.0.1:${port}`;
  expect(await asking.ask('hello')).toEqual({ bytes: Buffer.from('hello'), from });
  await daemon.metricBecomes('anyport_udp_flows', 1);
});

describeWith('setpriv')('the receive buffer', () => {
  const warned = ({ lines }: Daemon) => lines.filter(({ msg }) => msg.includes('of receive buffer'));
  const size = { server: { udp: { receive_buffer: '1GiB' } } };

  test('is said to be smaller where the kernel gives less', async () => {
    const [port, to] = [await freePort(), await endpoint()];
    const daemon = await start(configTo(port, to, size), {
      wrapper: ['setpriv', '--bounding-set', '-net_admin', '--inh-caps', '-net_admin'],
    });
    expect(warned(daemon)).toEqual([
      expect.objectContaining({
        level: 'warn',
        receive_buffer: 1024 ** 3,
        msg: expect.stringContaining('sysctl -w net.core.rmem_max=1073741824'),
      }),
    ]);
    expect((await (await client(port)).ask('hello')).bytes.toString()).toBe('hello');
    // A reload that changes something else does not say it again.
    await daemon.reload(configTo(port, to, { ...size, upstream: { retries: 1 } }));
    expect(warned(daemon)).toHaveLength(1);
  });
});

describeWith('python3')('sockets of the service manager', () => {
  test('a datagram socket goes to the listener of its name, beside a stream socket', async () => {
    const [port, to] = [await freePort(), await endpoint()];
    upstream = await listenTcp(echo);
    const daemon = await start(
      {
        server: { workers: 2 },
        listeners: [{ name: 'any', address: '127.0.0.1:1', transport: 'tcp+udp', on_unknown: 'to' }],
        protocols: [{ name: 'Redis', target: upstream.target }],
        upstreams: { to: { endpoints: [to.target] } },
      },
      {
        wrapper: activated([
          ['any', `127.0.0.1:${port}`],
          ['any', `udp:127.0.0.1:${port}`],
        ]),
      },
    );
    expect(readyListeners(daemon)).toEqual([
      { name: 'any', address: `127.0.0.1:${port}`, transport: 'tcp+udp' },
    ]);
    await answers(port);
    // One socket is one worker's: the datagrams of a client stay together.
    const peers = await Promise.all(Array.from({ length: 10 }, () => client(port)));
    for (const text of ['a', 'b'])
      for (const peer of peers) expect((await peer.ask(text)).bytes.toString()).toBe(text);
    expect(to.senders).toHaveLength(peers.length);
  });

  test('one that no listener takes is named', async () => {
    const [port, to, other] = [await freePort(), await endpoint(), await freePort()];
    const daemon = await start(configTo(port, to), {
      wrapper: activated([['web', `udp:127.0.0.1:${other}`]]),
    });
    expect(daemon.lines).toContainEqual(
      expect.objectContaining({
        name: 'web',
        address: `127.0.0.1:${other}`,
        transport: 'udp',
        msg: 'an inherited socket is not configured and is closed',
      }),
    );
  });
});

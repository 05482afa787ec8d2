/** What is counted and told of flows: one record, one end, one line; and what ends them. */
import { describe, expect, test } from 'vitest';
import { send } from '../../support/control.js';
import type { Daemon } from '../../support/daemon.js';
import type { ServeDatagram } from '../../support/datagrams.js';
import { freePort } from '../../support/ports.js';
import { eventually, waited } from '../../support/wait.js';
import { client, configTo, dnsQuery, endpoint, start } from './stage.js';

/** Waits until a metric of the listener has a value. */
const becomes = (daemon: Daemon, name: string, wanted: number, labels: Record<string, string> = {}) =>
  daemon.metricBecomes(name, wanted, { listener: 'any', ...labels });

/** Twice what came. */
const twice: ServeDatagram = ({ bytes }, reply) => {
  reply(bytes);
  reply(bytes);
};

test('a flow is a session: open, it is counted and listed', async () => {
  const [port, admin, to] = [await freePort(), await freePort(), await endpoint(twice)];
  const daemon = await start({
    ...configTo(port, to),
    protocols: [{ name: 'DNS', target: to.target }],
    admin: { listen: `127.0.0.1:${admin}` },
  });
  const asking = await client(port);
  await asking.send(dnsQuery('www.example.com'));
  await asking.datagram(1);
  await becomes(daemon, 'anyport_udp_flows', 1);
  await becomes(daemon, 'anyport_udp_datagrams_total', 1, { direction: 'up' });
  await becomes(daemon, 'anyport_udp_datagrams_total', 2, { direction: 'down' });
  const listed = await send({ host: '127.0.0.1', port: admin }, 'GET', '/api/v1/sessions');
  expect(listed.body).toMatchObject({
    sessions: [
      { transport: 'udp', protocol: 'dns', source: asking.address, stage: 'relay', upstream: 'DNS' },
    ],
  });
  await daemon.booksBalance();
});

test('a flow is a session: it has one end, and one line then', async () => {
  const [port, to] = [await freePort(), await endpoint(twice)];
  const daemon = await start({
    ...configTo(port, to, { server: { udp: { idle_timeout: '1s' } } }),
    protocols: [{ name: 'DNS', target: to.target }],
  });
  const asking = await client(port);
  const query = dnsQuery('www.example.com');
  await asking.send(query);
  const line = await daemon.sessionOf(asking);
  expect(line).toMatchObject({
    transport: 'udp',
    protocol: 'dns',
    listener: 'any',
    upstream: 'DNS',
    endpoint: to.target,
    bytes_up: query.length,
    bytes_down: 2 * query.length,
    reason: 'idle_timeout',
    by: 'timeout',
    during: 'relay',
  });
  expect(line.duration_ms).toBeGreaterThan(waited(1000));
  await becomes(daemon, 'anyport_udp_flows', 0);
  await becomes(daemon, 'anyport_sessions_total', 1, { protocol: 'dns', reason: 'idle_timeout' });
  await becomes(daemon, 'anyport_bytes_total', 2 * query.length, { direction: 'down' });
  await daemon.booksBalance();
});

test('responses: so many answers end a flow, and its client begins another', async () => {
  const [port, to] = [await freePort(), await endpoint()];
  const daemon = await start(configTo(port, to, { upstream: { udp: { responses: 1 } } }));
  const asking = await client(port);
  for (const text of ['a', 'b']) {
    expect((await asking.ask(text)).bytes.toString()).toBe(text);
    expect(await daemon.sessionOf(asking)).toMatchObject({ reason: 'done', bytes_up: 1, bytes_down: 1 });
  }
  expect(to.senders).toHaveLength(2);
  await daemon.booksBalance();
});

test('amplification: what a client that may be forged would get beyond it is dropped and counted', async () => {
  const port = await freePort();
  const to = await endpoint(({ bytes }, reply) => reply(Buffer.alloc(10 * bytes.length, 'x')));
  const daemon = await start(configTo(port, to, { upstream: { udp: { amplification: 3 } } }));
  const asking = await client(port);
  await asking.send('0123456789');
  await becomes(daemon, 'anyport_udp_dropped_total', 1, { reason: 'amplification' });
  expect(asking.received).toEqual([]);
});

describe('limits', () => {
  test('max_flows_per_ip: a datagram that would begin one more is dropped and counted', async () => {
    const [port, to] = [await freePort(), await endpoint()];
    const daemon = await start(configTo(port, to, { server: { udp: { max_flows_per_ip: 2 } } }));
    const [one, two, three] = [await client(port), await client(port), await client(port)];
    await one.ask('1');
    await two.ask('2');
    await three.send('3');
    await becomes(daemon, 'anyport_udp_dropped_total', 1, { reason: 'per_ip' });
    expect(three.received).toEqual([]);
    // Another source has places of its own.
    const elsewhere = await client(port, { from: '127.0.0.2' });
    expect((await elsewhere.ask('4')).bytes.toString()).toBe('4');
    await daemon.booksBalance();
  });

  test('max_flows: over it the oldest goes whose client has not been heard of since its first answer', async () => {
    const [port, to] = [await freePort(), await endpoint()];
    const daemon = await start(configTo(port, to, { server: { udp: { max_flows: 2 } } }));
    const [known, silent, next] = [await client(port), await client(port), await client(port)];
    for (const text of ['1', '2']) await known.ask(text);
    await silent.ask('3');
    expect((await next.ask('4')).bytes.toString()).toBe('4');
    expect(await daemon.sessionOf(silent)).toMatchObject({ reason: 'over_limit', transport: 'udp' });
    expect((await known.ask('5')).bytes.toString()).toBe('5');
    await becomes(daemon, 'anyport_udp_flows', 2);
    await daemon.booksBalance();
  });

  test('flows and connections have places of their own', async () => {
    const [port, to] = [await freePort(), await endpoint()];
    const daemon = await start(configTo(port, to, { server: { max_connections: 1 } }));
    for (let n = 0; n < 3; n += 1) expect((await (await client(port)).ask('a')).bytes.toString()).toBe('a');
    await becomes(daemon, 'anyport_udp_flows', 3);
  });
});

test('SIGTERM: a flow goes on until the deadline, a new one is refused', async () => {
  const [port, to] = [await freePort(), await endpoint()];
  const daemon = await start(configTo(port, to, { server: { workers: 2, graceful_shutdown_timeout: '8s' } }));
  const flows = await Promise.all(Array.from({ length: 8 }, () => client(port)));
  for (const flow of flows) await flow.ask('before');
  daemon.signal('SIGTERM');
  await eventually('the drain', () => daemon.lines.some(({ msg }) => msg === 'draining'));
  for (const flow of flows) expect((await flow.ask('after')).bytes.toString()).toBe('after');
  const late = await client(port);
  await late.send('late');
  await daemon.exit();
  expect(late.received).toEqual([]);
  expect(to.peer.texts).not.toContain('late');
  expect(to.senders).toHaveLength(flows.length);
  const lines = await daemon.ended(flows.length);
  for (const flow of flows)
    expect(lines.find(({ source }) => source === flow.address)).toMatchObject({
      reason: 'drain_timeout',
      transport: 'udp',
    });
});

/** An endpoint with several addresses behind links: they are tried in turn, and sessions share the one that answers. */
import { afterEach, describe, expect, test } from 'vitest';
import type { KcpEvent } from '../../src/addon/kcp.js';
import type { Engine } from '../../src/addon.js';
import type { InetAddress } from '../../src/model/address.js';
import { datagramClient } from '../support/datagrams.js';
import { freePort } from '../support/ports.js';
import { dial, type Peer } from '../support/tcp.js';
import { eventually } from '../support/wait.js';
import { FlowEngine } from './flow-engine.js';
import { establishedBy, hello, kcpProfile, TestEndpoint } from './kcp-endpoint.js';

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const at = (port: number): InetAddress => ({ host: '127.0.0.1', port });

async function deaf() {
  const peer = await datagramClient(1);
  stops.push(() => peer.close());
  return peer;
}

/** Echoes. */
function server() {
  const endpoint = new TestEndpoint({ serve: ({ socket }) => socket.pipe(socket) });
  stops.push(() => endpoint.close());
  return { endpoint, port: endpoint.listen() };
}

/** Sessions to one endpoint with these addresses, in their order. Only hellos and their answers need no deadline. */
function nearOf(ports: readonly number[], dialTimeoutMs = 300_000) {
  const told: KcpEvent[] = [];
  const shake = (event: KcpEvent, engine: Engine) => {
    told.push(event);
    if (event.kind === 'begin') engine.kcpSend(event.link, hello());
    if (event.kind === 'answer') engine.kcpEstablish(event.link, establishedBy(event.bytes));
  };
  const near = new FlowEngine({
    endpoints: ports.map(at),
    streams: true,
    dialTimeoutMs,
    links: { profile: kcpProfile, over: true, onEvent: shake },
    decide: (session, own) =>
      session.kind === 'unreachable'
        ? own.answers.end(session, 0, 'proxy', 'connect', 'connect_failed', 'reset')
        : own.dial(session, 0, ports.length),
  });
  stops.push(() => near.close());
  const of = <Kind extends KcpEvent['kind']>(kind: Kind) =>
    told.filter((event): event is Extract<KcpEvent, { kind: Kind }> => event.kind === kind);
  const portsOf = (kind: KcpEvent['kind']) => of(kind).map(({ from }) => (from as InetAddress).port);
  return { near, of, portsOf };
}

async function session({ near }: { readonly near: FlowEngine }): Promise<Peer> {
  const peer = await dial(near.streamPort);
  stops.push(() => peer.socket.destroy());
  return peer.send('a');
}

describe('addresses of an endpoint that is reached through a link', () => {
  test('one that does not answer is followed by the next, and ended by it', async () => {
    const [silent, far] = [await deaf(), server()];
    const here = nearOf([silent.port, far.port]);
    const peers = await Promise.all([session(here), session(here), session(here)]);
    for (const peer of peers) expect(`${await peer.bytes(1)}`).toBe('a');
    expect(silent.received.length).toBeGreaterThan(0);
    expect(here.portsOf('begin')).toEqual([silent.port, far.port]);
    expect(here.portsOf('up')).toEqual([far.port]);
    expect(here.of('down')).toMatchObject([{ reason: 'overtaken', from: at(silent.port) }]);
    expect(here.near.engine.kcpLinks()).toHaveLength(1);
    // The link that is there, although another address comes first.
    expect(`${await (await session(here)).bytes(1)}`).toBe('a');
    expect(here.of('begin')).toHaveLength(2);
    expect(far.endpoint.streams).toHaveLength(4);
  });

  test('one that refuses is followed by the next', async () => {
    const [refusing, far] = [await freePort(), server()];
    const here = nearOf([refusing, far.port]);
    expect(`${await (await session(here)).bytes(1)}`).toBe('a');
    expect(here.portsOf('begin')).toEqual([refusing, far.port]);
    expect(here.of('down')).toMatchObject([{ reason: 'refused', from: at(refusing) }]);
  });

  test('the first serves where that answers', async () => {
    const [far, silent] = [server(), await deaf()];
    const here = nearOf([far.port, silent.port]);
    expect(`${await (await session(here)).bytes(1)}`).toBe('a');
    expect(here.portsOf('begin')[0]).toBe(far.port);
    expect(here.portsOf('up')).toEqual([far.port]);
    expect(here.near.engine.kcpLinks()).toMatchObject([{ remote: at(far.port), state: 'up', streams: 1 }]);
  });

  test('all that refuse: the endpoint does', async () => {
    const ports = [await freePort(), await freePort()];
    const here = nearOf(ports);
    const peer = await session(here);
    expect(await peer.end()).toBe('reset');
    expect(here.near.of('unreachable')).toHaveLength(1);
    expect(here.portsOf('begin')).toEqual(ports);
  });

  test('none that answers: the endpoint is unreachable after dial_timeout', async () => {
    const silent = [await deaf(), await deaf()];
    const here = nearOf(
      silent.map(({ port }) => port),
      3000,
    );
    const peer = await session(here);
    expect(await peer.end()).toBe('reset');
    expect(here.near.of('unreachable')).toHaveLength(1);
    for (const { received } of silent) expect(received.length).toBeGreaterThan(0);
    await eventually('no links', () => here.near.engine.kcpLinks().length === 0);
  });
});

/** Sessions whose client says where they go, through the real engine: what is answered, relayed, counted and logged. */
import { describe, expect, test } from 'vitest';
import { hashPassword } from '../../src/forward-proxy/users/index.js';
import { CONNECT_PROXY, type DestinationRule, type PlanConnectProxy } from '../../src/model/connect-proxy.js';
import type { Conditions, Plan, PlanRoute, PlanUpstream } from '../../src/model/plan.js';
import { hex, text } from '../cases/case.js';
import { optionsWith, planned } from '../support/plan.js';
import { freePort } from '../support/ports.js';
import { dial, echo, type Peer } from '../support/tcp.js';
import { eventually } from '../support/wait.js';
import { type Plane, planFor, upstream, useStage } from './plane.js';

const { serve, start } = useStage();

const LOOPBACK: DestinationRule = { name: null, network: '127.0.0.0/8', ports: 'any' };
const LOCALHOST: DestinationRule = { name: 'localhost', network: null, ports: 'any' };

const basis: PlanConnectProxy = {
  upstream: 1,
  allow: [LOOPBACK, LOCALHOST],
  deny: [],
  ports: [],
  allowFrom: ['127.0.0.0/8'],
  users: null,
  socks: true,
  udp: false,
  logUsers: true,
  resolveTimeoutMs: 5000,
};

const proxied = (limits: Parameters<typeof optionsWith>[0] = {}): PlanUpstream => ({
  ...upstream(CONNECT_PROXY),
  endpoints: [{ name: '*', weight: 1, backup: false, state: 'up', addresses: [] }],
  options: optionsWith(limits),
});

const HTTP = 0;
const HTTP2 = 1;
const SOCKS4 = 2;
const SOCKS5 = 3;

/** CONNECT and SOCKS for the proxy, other requests for the server where there is one, and what is left for the proxy again. */
function proxyPlan(change: Partial<PlanConnectProxy> = {}, port?: number, limits = {}): Plan {
  const route = (name: string, when: Conditions, to: PlanRoute['to']): PlanRoute => ({ name, when, to });
  const toProxy = { kind: 'proxy' } as const;
  const web = route('protocols.HTTP', { protocol: HTTP }, { kind: 'upstream', upstream: 0 });
  const own = upstream('web', ...(port === undefined ? [] : [port]));
  const plan = planFor([own, proxied(), proxied(limits)], {
    protocols: [
      planned({ name: 'HTTP', id: 'http' }),
      planned({ name: 'HTTP2', id: 'http2' }),
      planned({ name: 'SOCKS4', id: 'socks4' }),
      planned({ name: 'SOCKS5', id: 'socks5' }),
    ],
    routes: [
      route(CONNECT_PROXY, { protocol: HTTP, method: 'CONNECT' }, toProxy),
      route(CONNECT_PROXY, { protocol: [SOCKS4, SOCKS5] }, toProxy),
      ...(port === undefined ? [] : [web]),
      route(CONNECT_PROXY, { protocol: HTTP }, toProxy),
      route(CONNECT_PROXY, { protocol: HTTP2 }, toProxy),
    ],
    connectProxy: { ...basis, ...change },
  });
  const [listener] = plan.listeners;
  if (listener === undefined) throw new Error('no listener');
  return { ...plan, listeners: [{ ...listener, protocols: [HTTP, HTTP2, SOCKS4, SOCKS5] }] };
}

const ALICE = 'Proxy-Authorization: Basic YWxpY2U6c2VjcmV0';
/** A password that alice does not have. */
const WRONG = 'Proxy-Authorization: Basic YWxpY2U6d3Jvbmc=';
/** As cheap as hashes may be. */
const hash = await hashPassword(Buffer.from('secret'), { ln: 14, r: 8, p: 1 });
const alice = (at: number) => ({ users: [{ name: 'alice', hash, upstream: at }] });

const connect = (port: number, ...headers: string[]): string =>
  [`CONNECT 127.0.0.1:${port} HTTP/1.1`, 'Host: a', ...headers, '', ''].join('\r\n');
const ESTABLISHED = 'HTTP/1.1 200 Connection established\r\n\r\n';

const port16 = (port: number) => Buffer.from([port >> 8, port & 0xff]);
const socks5To = (port: number) => Buffer.concat([hex('05 01 00 01 7f000001'), port16(port)]);
const socks4To = (port: number) => Buffer.concat([hex('04 01'), port16(port), hex('7f000001 00')]);

async function line(plane: Plane, count = 1): Promise<Record<string, unknown>> {
  await eventually(`${count} sessions in the log`, () => plane.records().length >= count);
  return plane.records()[count - 1] as Record<string, unknown>;
}

const heard = (client: Peer) => client.received.toString('latin1');

async function statusOf(plane: Plane, request: string | Uint8Array): Promise<string> {
  const client = await dial(plane.port);
  client.send(request);
  await client.end();
  client.finish();
  return heard(client).slice('HTTP/1.1 '.length, 'HTTP/1.1 '.length + 3);
}

describe('a tunnel', () => {
  test('by CONNECT: what comes behind the head reaches the destination once, and nothing of the head does', async () => {
    const server = await serve(echo);
    const plane = await start(proxyPlan());
    const client = await dial(plane.port);
    client.send(`${connect(server.port, ALICE)}hello`).finish();
    expect(await client.end()).toBe('fin');
    expect(heard(client)).toBe(`${ESTABLISHED}hello`);
    expect(server.peers.map((peer) => heard(peer))).toEqual(['hello']);
    expect(await line(plane)).toMatchObject({
      protocol: 'http',
      upstream: CONNECT_PROXY,
      endpoint: `127.0.0.1:${server.port}`,
      status: 200,
      bytes_up: 5,
      bytes_down: 5,
      reason: 'done',
    });
  });

  test('to a name', async () => {
    const server = await serve(echo);
    const plane = await start(proxyPlan());
    const client = await dial(plane.port);
    client.send(`CONNECT LocalHost.:${server.port} HTTP/1.0\r\n\r\nhello`).finish();
    await client.end();
    expect(heard(client)).toBe(`${ESTABLISHED}hello`);
    expect(await line(plane)).toMatchObject({ endpoint: `localhost:${server.port}`, reason: 'done' });
  });

  test.each([
    { protocol: 'socks4', ask: socks4To, granted: '\0\x5a\0\0\0\0\0\0' },
    {
      protocol: 'socks5',
      ask: (port: number) => Buffer.concat([hex('05 01 00'), socks5To(port)]),
      granted: '\x05\0\x05\0\0\x01\0\0\0\0\0\0',
    },
  ])('by $protocol, all sent at once', async ({ protocol, ask, granted }) => {
    const server = await serve(echo);
    const plane = await start(proxyPlan());
    const client = await dial(plane.port);
    client.send(Buffer.concat([ask(server.port), text('hello')])).finish();
    await client.end();
    expect(heard(client)).toBe(`${granted}hello`);
    expect(await line(plane)).toMatchObject({ protocol, status: 200, bytes_up: 5, reason: 'done' });
  });

  test('by socks5 with a password, all sent at once, or byte by byte', async () => {
    const server = await serve(echo);
    const plane = await start(proxyPlan(alice(1)));
    const login = text('\x01\x05alice\x06secret');
    const all = Buffer.concat([hex('05 02 00 02'), login, socks5To(server.port), text('hello')]);
    const granted = '\x05\x02\x01\0\x05\0\0\x01\0\0\0\0\0\0';
    const eager = await dial(plane.port);
    eager.send(all).finish();
    await eager.end();
    expect(heard(eager)).toBe(`${granted}hello`);
    expect(await line(plane)).toMatchObject({ user: 'alice', status: 200, bytes_up: 5 });
    const slow = await dial(plane.port);
    for (const byte of all) {
      slow.send(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    slow.finish();
    await slow.end();
    expect(heard(slow)).toBe(`${granted}hello`);
  });
});

describe('users', () => {
  test('a client is asked, and answers on the same connection', async () => {
    const server = await serve(echo);
    const plane = await start(proxyPlan(alice(1)));
    const client = await dial(plane.port);
    client.send(connect(server.port));
    await eventually('the question', () => heard(client).endsWith('password\n'));
    expect(heard(client)).toContain('HTTP/1.1 407 Proxy Authentication Required\r\n');
    const asked = client.length;
    client.send(`${connect(server.port, ALICE)}hello`).finish();
    await client.end();
    expect(heard(client).slice(asked)).toBe(`${ESTABLISHED}hello`);
    expect(await line(plane)).toMatchObject({ user: 'alice', status: 200, bytes_up: 5, bytes_down: 5 });
    expect(await line(plane)).not.toHaveProperty('error');
    expect(plane.metric('anyport_proxy_refusals_total')).toBe(1);
  });

  test('a wrong password is no user', async () => {
    const plane = await start(proxyPlan(alice(1)));
    expect(await statusOf(plane, connect(443, WRONG, 'Connection: close'))).toBe('407');
    expect(await line(plane)).toMatchObject({ status: 407, reason: 'rejected', route: CONNECT_PROXY });
    expect(plane.records()[0]).not.toHaveProperty('user');
    expect(plane.metric('anyport_proxy_refusals_total', { cause: 'credentials' })).toBe(1);
  });

  test('a client that leaves when it is asked has a line that says so', async () => {
    const plane = await start(proxyPlan(alice(1)));
    const client = await dial(plane.port);
    client.send(connect(443));
    await eventually('the question', () => heard(client).endsWith('password\n'));
    client.finish();
    expect(await line(plane)).toMatchObject({
      by: 'client',
      reason: 'client_gone',
      status: 407,
      error: 'this proxy asks for a user and a password',
    });
  });

  test('a client that leaves after a wrong password is rejected, as it is counted', async () => {
    const plane = await start(proxyPlan(alice(1)));
    const client = await dial(plane.port);
    client.send(connect(443, WRONG));
    await eventually('the question', () => heard(client).endsWith('password is wrong\n'));
    client.finish();
    expect(await line(plane)).toMatchObject({
      by: 'proxy',
      reason: 'rejected',
      status: 407,
      error: 'the user or the password is wrong',
    });
    expect(plane.metric('anyport_proxy_refusals_total', { cause: 'credentials' })).toBe(1);
    expect(plane.metric('anyport_sessions_total', { reason: 'rejected' })).toBe(1);
  });

  test('clients that leave while their passwords are verified leave nothing behind', async () => {
    const plane = await start(proxyPlan(alice(1)));
    const clients = await Promise.all(Array.from({ length: 8 }, () => dial(plane.port)));
    for (const [at, client] of clients.entries()) {
      const wrong = Buffer.from(`alice:${at}`).toString('base64');
      client.send(connect(443, `Proxy-Authorization: Basic ${wrong}`));
    }
    await eventually('all to be identified', () => plane.metric('anyport_identified_total') === 8);
    for (const client of clients) client.reset();
    await line(plane, 8);
    expect(plane.records().every(({ by }) => by === 'client' || by === 'proxy')).toBe(true);
    expect(plane.metric('anyport_sessions_active')).toBe(0);
    // And the worker goes on.
    expect(await statusOf(plane, connect(443, 'Connection: close'))).toBe('407');
  });

  test('has as many sessions as he may', async () => {
    const server = await serve(echo);
    const plane = await start(proxyPlan(alice(2), undefined, { max_connections: 1 }));
    const first = await dial(plane.port);
    first.send(connect(server.port, ALICE));
    await first.bytes(ESTABLISHED.length);
    expect(await statusOf(plane, connect(server.port, ALICE))).toBe('503');
    first.finish();
    await first.end();
    expect(plane.metric('anyport_sessions_total', { reason: 'over_limit' })).toBe(1);
    await line(plane, 2);
    const next = await dial(plane.port);
    next.send(connect(server.port, ALICE)).finish();
    await next.end();
    expect(heard(next)).toBe(ESTABLISHED);
  });

  test('socks4 has no password', async () => {
    const plane = await start(proxyPlan(alice(1)));
    const client = await dial(plane.port);
    client.send(socks4To(443));
    await client.end();
    expect(heard(client)).toBe('\0\x5d\0\0\0\0\0\0');
  });
});

describe('refusals', () => {
  test.each([
    { why: 'a port that refuses', change: {}, status: '502', reason: 'connect_failed', cause: 'connection' },
    { why: 'a destination', change: { allow: [] }, status: '403', reason: 'rejected', cause: 'destination' },
    {
      why: 'a client',
      change: { allowFrom: ['10.0.0.0/8'] },
      status: '403',
      reason: 'rejected',
      cause: 'source',
    },
  ])('$why', async ({ change, status, reason, cause }) => {
    const port = await freePort();
    const plane = await start(proxyPlan(change));
    expect(await statusOf(plane, connect(port))).toBe(status);
    expect(await line(plane)).toMatchObject({ status: Number(status), reason, upstream: CONNECT_PROXY });
    expect(plane.metric('anyport_proxy_refusals_total', { cause })).toBe(1);
    expect(plane.metric('anyport_proxy_refusals_total')).toBe(1);
  });

  test.each([
    { protocol: 'socks4', ask: socks4To, refused: '\0\x5b\0\0\0\0\0\0' },
    {
      protocol: 'socks5',
      ask: (port: number) => Buffer.concat([hex('05 01 00'), socks5To(port)]),
      refused: '\x05\0\x05\x05\0\x01\0\0\0\0\0\0',
    },
  ])('by $protocol', async ({ ask, refused }) => {
    const port = await freePort();
    const plane = await start(proxyPlan());
    const client = await dial(plane.port);
    client.send(ask(port));
    expect(await client.end()).toBe('fin');
    expect(heard(client)).toBe(refused);
    expect(await line(plane)).toMatchObject({
      endpoint: `127.0.0.1:${port}`,
      error: `127.0.0.1:${port} can not be reached (ECONNREFUSED)`,
      status: 502,
      during: 'connect',
      by: 'upstream',
    });
    const labels = { upstream: CONNECT_PROXY, reason: 'connect_failed' };
    expect(plane.metric('anyport_connect_failures_total', labels)).toBe(1);
  });

  test.each([
    { why: 'no port', request: 'CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n', status: '400' },
    { why: 'several Hosts', request: 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', status: '400' },
    { why: 'another method', request: 'GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n', status: '405' },
    {
      why: 'another method, and several Hosts',
      request: 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
      status: '405',
    },
  ])('what is wrong is said: $why', async ({ request, status }) => {
    const plane = await start(proxyPlan());
    expect(await statusOf(plane, request)).toBe(status);
    expect(await line(plane)).toMatchObject({ status: Number(status), reason: 'rejected', by: 'proxy' });
  });

  test('HTTP/2 is answered, whether the client waits for the server or not', async () => {
    const plane = await start(proxyPlan());
    const preface = Buffer.concat([text('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), hex('000000 04 00 00000000')]);
    const asking = await dial(plane.port);
    asking.send(Buffer.concat([preface, hex('000001 01 05 00000001 82')]));
    expect(await asking.end()).toBe('fin');
    expect(heard(asking)).toContain('\x08\x03501\x0f\x07\x07CONNECT');
    const waiting = await dial(plane.port);
    waiting.send(preface);
    expect(await waiting.end()).toBe('fin');
    expect(waiting.received.subarray(-4).toString('hex')).toBe('0000000d');
  });

  test('a large body behind a request that is refused does not reset the answer', async () => {
    const plane = await start(proxyPlan());
    const client = await dial(plane.port);
    client
      .send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n`)
      .send(Buffer.alloc(1_000_000));
    expect(await client.end()).toBe('fin');
    expect(heard(client)).toMatch(/^HTTP\/1.1 405 .*only CONNECT\n$/s);
  });
});

describe('beside other routes', () => {
  test('requests that are no CONNECT go where they went, whatever is wrong with them', async () => {
    const server = await serve((peer) => peer.finish());
    const plane = await start(proxyPlan({}, server.port));
    const request = 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n';
    const client = await dial(plane.port);
    client.send(request).finish();
    await client.end();
    const peer = await server.peer(0);
    await peer.end();
    expect(heard(peer)).toBe(request);
  });
});

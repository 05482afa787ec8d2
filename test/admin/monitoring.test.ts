import { once } from 'node:events';
import { request } from 'node:http';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { native } from '../../src/addon.js';
import type { Control, Health } from '../../src/admin/control.js';
import { MonitoringServers, type OpenSocket } from '../../src/admin/monitoring.js';
import { visitorLimits } from '../../src/admin/visitors.js';
import type { MonitoringConfig } from '../../src/model/config.js';
import { freePort } from '../support/ports.js';

const host = '127.0.0.1';
const health: Health = {
  status: 'ready',
  workers: { wanted: 2, accepting: 2 },
  listeners: [{ name: 'front', address: '127.0.0.1:9090', transport: 'tcp' }],
};

let status: Health['status'] = 'ready';
const control: Control = {
  health: () => ({ ...health, status }),
  metrics: { contentType: 'text/plain; version=0.0.4', scrape: async () => 'anyport_workers 2\n' },
};

const open: MonitoringServers[] = [];
afterEach(() => {
  status = 'ready';
  for (const monitoring of open.splice(0)) monitoring.close();
});

const listen: OpenSocket = ({ address }) => ({
  fd: native.listen(address, { reusePort: false, backlog: 100 }),
  bound: `${address.host}:${address.port}`,
});

async function serve(config: MonitoringConfig, its = control): Promise<void> {
  const servers = new MonitoringServers(its, listen);
  open.push(servers);
  (await servers.prepare(config)).commit();
}

async function start(sites: { metrics?: number; health?: number }): Promise<void> {
  const at = (port: number | undefined) => (port === undefined ? null : { host, port });
  await serve({ metrics: at(sites.metrics), health: at(sites.health) });
}

interface Reply {
  readonly status: number | undefined;
  readonly type: string | undefined;
  readonly body: string;
}

async function ask(port: number, path: string, method = 'GET'): Promise<Reply> {
  const asked = request({ host, port, path, method, agent: false }).end();
  const [response] = await once(asked, 'response');
  let body = '';
  for await (const chunk of response) body += String(chunk);
  return { status: response.statusCode, type: response.headers['content-type'], body };
}

describe('monitoring on one port', () => {
  const cases = [
    { why: 'metrics', path: '/metrics', method: 'GET', status: 200, body: 'anyport_workers 2\n' },
    { why: 'a query changes nothing', path: '/metrics?x=1', method: 'GET', status: 200, body: /workers/ },
    { why: 'HEAD is GET without the body', path: '/metrics', method: 'HEAD', status: 200, body: '' },
    { why: 'live', path: '/health/live', method: 'GET', status: 200, body: /"status":"live"/ },
    { why: 'ready', path: '/health/ready', method: 'GET', status: 200, body: /"status":"ready".*"127/ },
    { why: 'read-only', path: '/metrics', method: 'POST', status: 405, body: /GET and HEAD only/ },
    { why: 'says what there is', path: '/', method: 'GET', status: 404, body: /\/health\/ready/ },
  ];
  test.each(cases)('$why', async ({ path, method, status: wanted, body }) => {
    const port = await freePort();
    await start({ metrics: port, health: port });
    const reply = await ask(port, path, method);
    expect(reply.status).toBe(wanted);
    if (typeof body === 'string') expect(reply.body).toBe(body);
    else expect(reply.body).toMatch(body);
  });

  test.each([
    ['starting', 503],
    ['degraded', 200],
    ['draining', 503],
  ] as const)('%s is live, and as to ready %d', async (now, ready) => {
    const port = await freePort();
    await start({ metrics: port, health: port });
    status = now;
    expect(await ask(port, '/health/ready')).toMatchObject({ status: ready });
    expect(await ask(port, '/health/live')).toMatchObject({ status: 200 });
  });
});

test('a scrape that fails is an answer too', async () => {
  const port = await freePort();
  const scrape = () => Promise.reject(new Error('no memory'));
  const failing = { ...control, metrics: { ...control.metrics, scrape } };
  await serve({ metrics: { host, port }, health: null }, failing);
  expect(await ask(port, '/metrics')).toMatchObject({ status: 500, body: '{"error":"Error: no memory"}\n' });
});

describe('monitoring servers', () => {
  test('on two ports each serves its own', async () => {
    const [metrics, healthPort] = [await freePort(), await freePort()];
    await start({ metrics, health: healthPort });
    expect(await ask(metrics, '/metrics')).toMatchObject({ status: 200, type: control.metrics.contentType });
    expect(await ask(metrics, '/health/live')).toMatchObject({ status: 404 });
    expect(await ask(healthPort, '/health/live')).toMatchObject({ status: 200, type: 'application/json' });
    expect(await ask(healthPort, '/metrics')).toMatchObject({ status: 404 });
  });

  test('a port in use is named, and nothing is left listening', async () => {
    const taken = createServer().listen(0, host);
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const metrics = await freePort();
    await expect(start({ metrics, health: port })).rejects.toThrow('EADDRINUSE');
    taken.close();
    await expect(ask(metrics, '/metrics')).rejects.toThrow('ECONNREFUSED');
  });

  test('another configuration: what stays goes on, what is new is there before the old is gone', async () => {
    const [stays, goes, comes] = [await freePort(), await freePort(), await freePort()];
    const at = (port: number) => ({ host, port });
    await serve({ metrics: at(stays), health: at(goes) });
    const [servers] = open as [MonitoringServers];
    const kept = await opened(stays, host);

    const prepared = await servers.prepare({ metrics: at(comes), health: at(stays) });
    expect(await ask(goes, '/health/live')).toMatchObject({ status: 200 });
    prepared.commit();
    expect(await ask(comes, '/metrics')).toMatchObject({ status: 200 });
    expect(await ask(stays, '/metrics')).toMatchObject({ status: 404 });
    await expect(ask(goes, '/health/live')).rejects.toThrow('ECONNREFUSED');
    kept.write('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(String((await once(kept, 'data'))[0])).toContain('"status":"live"');
  });

  test('another configuration that can not be served changes nothing', async () => {
    const taken = createServer().listen(0, host);
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const [stays, comes] = [await freePort(), await freePort()];
    await serve({ metrics: { host, port: stays }, health: null });
    const [servers] = open as [MonitoringServers];
    const next = { metrics: { host, port: comes }, health: { host, port } };
    await expect(servers.prepare(next)).rejects.toThrow('EADDRINUSE');
    expect(await ask(stays, '/metrics')).toMatchObject({ status: 200 });
    await expect(ask(comes, '/metrics')).rejects.toThrow('ECONNREFUSED');
    taken.close();
  });

  const crowds = [
    { why: 'from one source', silent: 200, sources: 1 },
    { why: 'from many sources', silent: 200, sources: 20 },
  ];
  test.each(crowds)('connections that ask nothing shut nobody out: $why', async ({ silent, sources }) => {
    const port = await freePort();
    await start({ metrics: port, health: port });
    const crowd: Socket[] = [];
    for (let n = 0; n < silent; n++) {
      crowd.push(await opened(port, `127.0.1.${1 + (n % sources)}`));
      if (n % 10 === 0) expect(await ask(port, '/health/live')).toMatchObject({ status: 200 });
      if (n % 10 === 5) expect(await ask(port, '/metrics')).toMatchObject({ status: 200 });
    }
    await eventually(async () => {
      const left = crowd.filter((socket) => !socket.destroyed).length;
      const most = sources === 1 ? visitorLimits.connectionsPerSourceMax : visitorLimits.connectionsMax;
      expect(left).toBeLessThanOrEqual(most);
    });
    expect(open[0]?.evicted).toBeGreaterThanOrEqual(silent - visitorLimits.connectionsMax);
    for (const socket of crowd) socket.destroy();
  });

  test('a source has its share, and takes nothing from those beside it', async () => {
    const port = await freePort();
    await start({ metrics: port });
    const quiet = await Promise.all(Array.from({ length: 8 }, () => opened(port, '127.0.1.1')));
    for (let n = 0; n < 100; n++) (await opened(port, '127.0.1.2')).unref();
    await ask(port, '/metrics');
    expect(quiet.every((socket) => !socket.destroyed)).toBe(true);
    for (const socket of quiet) socket.destroy();
  });

  test.each([
    { why: 'it was asked to', headers: 'Connection: close\r\n' },
    { why: 'it was not', headers: '' },
    { why: 'it was asked not to', headers: 'Connection: keep-alive\r\n' },
  ])('a connection is closed with its answer: $why', async ({ headers }) => {
    const port = await freePort();
    await start({ metrics: port });
    const silent = await opened(port);
    const socket = connect({ port, host, allowHalfOpen: true });
    socket.write(`GET /metrics HTTP/1.1\r\nHost: a\r\n${headers}\r\n`);
    socket.resume();
    await once(socket, 'end');
    // Evicted, not timed out: a timeout would close the older connection first.
    expect(silent.destroyed).toBe(false);
    socket.destroy();
    silent.destroy();
  });

  test('one that asks many times at once is answered once', async () => {
    const port = await freePort();
    await start({ metrics: port });
    const socket = await opened(port);
    let answers = '';
    socket.on('data', (bytes) => {
      answers += bytes;
    });
    socket.end('GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(100));
    await once(socket, 'close');
    expect(answers.match(/anyport_workers/g)).toHaveLength(1);
  });

  test('nor do those that do not read their answers', async () => {
    const port = await freePort();
    const metrics = { contentType: 'text/plain', scrape: async () => 'x'.repeat(12 << 20) };
    const site = { metrics: { host, port }, health: { host, port } };
    await serve(site, { ...control, metrics });
    const deaf = await Promise.all(
      Array.from({ length: visitorLimits.connectionsMax }, (_, n) => opened(port, `127.0.1.${1 + (n % 2)}`)),
    );
    for (const socket of deaf) socket.pause().write('GET /metrics HTTP/1.0\r\n\r\n');
    for (let probe = 0; probe < 20; probe++) {
      expect(await ask(port, '/health/live')).toMatchObject({ status: 200 });
    }
    for (const socket of deaf) socket.destroy();
  });
});

async function opened(port: number, from = host): Promise<Socket> {
  const socket = connect({ host, port, localAddress: from });
  socket.on('error', () => socket.destroy()); // reset to make room
  await once(socket, 'connect');
  return socket;
}

async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

/** Endpoints are told who the client is: PROXY headers in front of sessions and of health checks. */
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { type ProxyHeader, readProxyHeader } from '../../src/protocols/proxy-header.js';
import { alpn, hello, records, serverName } from '../cases/tls.js';
import { type Daemon, startDaemon, type TestConfig } from '../support/daemon.js';
import { freePort } from '../support/ports.js';
import { RealServer, type Recipe } from '../support/real-servers.js';
import { dial, listenTcp, Peer, type Upstream } from '../support/tcp.js';
import { type TempFolder, tempFolder } from '../support/temp.js';
import { describeWith } from '../support/tools.js';
import { eventually, within } from '../support/wait.js';

const request = 'GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n';

const open: { stop(): Promise<unknown> }[] = [];

afterEach(async () => {
  for (const each of open.splice(0).toReversed()) await each.stop();
});

async function started(config: TestConfig): Promise<Daemon> {
  const daemon = await startDaemon(config);
  open.push(daemon);
  return daemon;
}

/** Answers with what is behind the header; anything else than a header is a connection reset. */
async function strictServer(): Promise<Upstream & { headers: ProxyHeader[] }> {
  const headers: ProxyHeader[] = [];
  const server = await listenTcp((peer) => {
    let isRead = false;
    peer.socket.on('data', (chunk) => {
      if (isRead) return void peer.socket.write(chunk);
      const answer = readProxyHeader(peer.received, 'tcp');
      if (answer.verdict === 'no') return void peer.socket.resetAndDestroy();
      if (answer.verdict === 'more') return;
      isRead = true;
      headers.push(answer.header);
      peer.socket.write(peer.received.subarray(answer.header.headerBytes));
    });
    peer.socket.on('end', () => peer.socket.end());
  });
  open.push({ stop: () => server.close() });
  return { ...server, headers };
}

const web = (target: string, options: object): TestConfig => ({
  protocols: [
    { name: 'HTTP', target: 'web' },
    { name: 'TLS', target: 'web' },
  ],
  upstreams: { web: { endpoints: [target], ...options } },
});

async function connectTo(host: string, port: number): Promise<Peer> {
  const socket = connect({ host, port, allowHalfOpen: true });
  await within('a connection', once(socket, 'connect'));
  return new Peer(socket);
}

const addressOf = ({ socket }: Peer, end: 'local' | 'remote'): string => {
  const [host, port] =
    end === 'local' ? [socket.localAddress, socket.localPort] : [socket.remoteAddress, socket.remotePort];
  return host?.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
};

async function roundTrip(client: Peer, bytes: Uint8Array | string): Promise<void> {
  client.send(bytes);
  expect(await client.bytes(bytes.length)).toEqual(Buffer.from(bytes));
}

describe('a strict server', () => {
  test.each([
    ['v1', '127.0.0.1'],
    ['v2', '127.0.0.1'],
    ['v1', '::1'],
    ['v2', '::1'],
  ])('%s from a client of %s', async (version, host) => {
    const server = await strictServer();
    const port = await freePort();
    const daemon = await started({
      ...web(server.target, { proxy_protocol: version }),
      listeners: [{ name: 'front', address: host.includes(':') ? `[${host}]:${port}` : `${host}:${port}` }],
    });
    const client = await connectTo(host, port);
    const addresses = { source: addressOf(client, 'local'), destination: addressOf(client, 'remote') };
    await roundTrip(client, request);
    expect(await client.finish().end()).toBe('fin');
    expect(server.headers).toMatchObject([
      {
        addresses,
        facts: { proxy: version },
      },
    ]);
    // The header is not the session's.
    expect((await daemon.ended(1))[0]).toMatchObject({
      bytes_up: request.length,
      bytes_down: request.length,
      reason: 'done',
    });
  });

  test('an IPv4 client of a socket for both families is IPv4', async () => {
    const server = await strictServer();
    const port = await freePort();
    await started({
      ...web(server.target, { proxy_protocol: 'v2' }),
      listeners: [{ name: 'front', address: `:${port}` }],
    });
    const client = await dial(port);
    await roundTrip(client, request);
    expect(server.headers[0]?.addresses).toEqual({
      source: client.address,
      destination: `127.0.0.1:${port}`,
    });
  });

  test.each([
    ['v1', null],
    ['v2', 'unix:'],
  ])('%s from a client of a Unix socket', async (version, source) => {
    const server = await strictServer();
    const folder: TempFolder = tempFolder();
    open.push({ stop: async () => folder.remove() });
    const path = `${folder.path}/front.sock`;
    await started({
      ...web(server.target, { proxy_protocol: version }),
      listeners: [{ name: 'front', address: `unix:${path}` }],
    });
    const client = new Peer(connect({ path, allowHalfOpen: true }));
    await roundTrip(client, request);
    const due = source === null ? null : { source, destination: `unix:${path}` };
    expect(server.headers[0]?.addresses).toEqual(due);
  });

  test('TLVs: of the hello, whatever its pieces, and the id that the log has', async () => {
    const server = await strictServer();
    const tlvs = ['alpn', 'authority', 'unique_id', 'crc32c'];
    const daemon = await started(web(server.target, { proxy_protocol: { version: 'v2', tlvs } }));
    const bytes = records(hello([serverName('A.example'), alpn('h2', 'http/1.1')]));
    const client = await dial(daemon.port);
    client.send(bytes.subarray(0, 20));
    await new Promise((resolve) => setTimeout(resolve, 50));
    client.send(bytes.subarray(20));
    await client.bytes(bytes.length);
    client.finish();
    const line = await daemon.sessionOf(client);
    expect(server.headers[0]?.facts).toMatchObject({ proxy_alpn: 'h2', proxy_authority: 'a.example' });
    expect(line.session).toMatch(/^0-\d+-\d+$/);
    expect(server.headers[0]?.facts.proxy_unique_id).toBe(line.session);
  });

  test('authority is the host of a request in clear text', async () => {
    const server = await strictServer();
    const daemon = await started(web(server.target, { proxy_protocol: { tlvs: ['authority'] } }));
    await roundTrip(await dial(daemon.port), request);
    expect(server.headers[0]?.facts.proxy_authority).toBe('a.example');
  });

  test('what the header says of the opening is waited for, though every session has one route', async () => {
    const server = await strictServer();
    const daemon = await started({
      routes: [{ to: 'web' }],
      upstreams: {
        web: { endpoints: [server.target], proxy_protocol: { tlvs: ['authority'] } },
      },
      protocols: [{ name: 'HTTP' }],
    });
    await roundTrip(await dial(daemon.port), request);
    expect(server.headers[0]?.facts.proxy_authority).toBe('a.example');
  });

  test('a client that waits for the server has it told, too', async () => {
    const server = await listenTcp((peer) =>
      peer.socket.once('data', () => peer.socket.write('220 hello\r\n')),
    );
    open.push({ stop: () => server.close() });
    const port = await freePort();
    await started({
      upstreams: { mail: { endpoints: [server.target], proxy_protocol: 'v1' } },
      listeners: [{ name: 'front', address: `127.0.0.1:${port}`, on_silence: { after: '50ms', to: 'mail' } }],
    });
    const client = await dial(port);
    await eventually('the greeting', () => client.received.toString() === '220 hello\r\n');
    expect((await server.peer(0)).received.toString()).toMatch(
      /^PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 \d+ \d+\r\n$/,
    );
  });

  test('the next endpoint is told the same when the first refuses', async () => {
    const server = await strictServer();
    const daemon = await started({
      protocols: [{ name: 'HTTP', target: 'web' }],
      upstreams: {
        web: { endpoints: [`127.0.0.1:${await freePort()}`, server.target], proxy_protocol: 'v2' },
      },
    });
    for (let round = 0; round < 2; round += 1) {
      const client = await dial(daemon.port);
      await roundTrip(client, request);
      expect(server.headers[round]?.addresses?.source).toBe(client.address);
    }
  });

  test('through two instances it is the first client', async () => {
    const server = await strictServer();
    const port = await freePort();
    const inner = await started({
      ...web(server.target, { proxy_protocol: 'v1' }),
      listeners: [
        {
          name: 'back',
          address: `127.0.0.1:${port}`,
          proxy_protocol: { accept: true, trusted: ['127.0.0.0/8'] },
        },
      ],
    });
    const outer = await started(
      web(`127.0.0.1:${port}`, { proxy_protocol: { tlvs: ['unique_id', 'crc32c'] } }),
    );
    const client = await dial(outer.port, '127.0.0.9');
    await roundTrip(client, request);
    client.finish();
    const due = { source: client.address, destination: `127.0.0.1:${outer.port}` };
    expect(server.headers[0]?.addresses).toEqual(due);
    const [line] = await inner.ended(1);
    const [first] = await outer.ended(1);
    expect(line?.source).toBe(client.address);
    expect(line?.facts.proxy_unique_id).toBe(first?.session);
  });
});

// ---- servers of others

const nginx = (listen: string): Recipe => ({
  tools: ['nginx'],
  signal: 'SIGQUIT',
  prepare(folder, port) {
    mkdirSync(`${folder}/www`);
    const temps = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
    writeFileSync(
      `${folder}/nginx.conf`,
      `daemon off; master_process off; worker_processes 1; pid ${folder}/pid; error_log stderr error;
      events { worker_connections 64; }
      http {
        access_log off; default_type text/plain; ${temps.map((kind) => `${kind}_temp_path ${folder};`).join(' ')}
        server {
          listen ${listen}:${port} proxy_protocol;
          return 200 "$proxy_protocol_addr $proxy_protocol_port $proxy_protocol_server_addr $proxy_protocol_server_port\\n";
        }
      }`,
    );
  },
  command: (folder) => ['/usr/sbin/nginx', '-p', folder, '-c', `${folder}/nginx.conf`],
});

const haproxy: Recipe = {
  tools: ['haproxy'],
  prepare(folder, port) {
    writeFileSync(
      `${folder}/haproxy.cfg`,
      `defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 5s
frontend front
  bind 127.0.0.1:${port} accept-proxy
  http-request return status 200 content-type text/plain lf-string "%[src] %[src_port] %[dst] %[dst_port] %[fc_pp_authority] %[fc_pp_unique_id]\\n"
`,
    );
  },
  command: (folder) => ['haproxy', '-db', '-f', `${folder}/haproxy.cfg`],
};

async function backend(recipe: Recipe): Promise<RealServer> {
  const server = await RealServer.start(recipe);
  open.push({ stop: () => server.remove() });
  return server;
}

/** The body of the answer. */
async function told(client: Peer): Promise<string[]> {
  client.send(request);
  await client.end();
  const [, body = ''] = client.received.toString().split('\r\n\r\n');
  const text = /^[0-9a-f]+\r\n/.test(body) ? (body.split('\r\n')[1] ?? '') : body;
  return text.trim().split(' ');
}

const hostsAndPorts = (client: Peer): string[] => {
  const { localAddress, localPort, remoteAddress, remotePort } = client.socket;
  return [localAddress, localPort, remoteAddress, remotePort].map(String);
};

describeWith('nginx')('nginx', () => {
  test.each([
    ['v1', '127.0.0.1'],
    ['v2', '127.0.0.1'],
    ['v1', '::1'],
    ['v2', '::1'],
  ])('%s from a client of %s, with checks of its own', async (version, host) => {
    const server = await backend(nginx('127.0.0.1'));
    const port = await freePort();
    const check = { type: 'http', interval: '100ms', rise: 1, fall: 1 };
    const daemon = await started({
      ...web(server.target, { proxy_protocol: version, health_check: check }),
      listeners: [{ name: 'front', address: host.includes(':') ? `[${host}]:${port}` : `${host}:${port}` }],
    });
    const client = await connectTo(host, port);
    const expected = hostsAndPorts(client);
    expect(await told(client)).toEqual(expected);
    // Its answer to a check without a header would be 400.
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(await daemon.metric('anyport_endpoint_up', { upstream: 'web' })).toBe(1);
    expect(daemon.lines.filter(({ level }) => level === 'warn')).toEqual([]);
  });
});

describeWith('haproxy')('HAProxy', () => {
  test.each([
    ['v1', '127.0.0.1'],
    ['v2', '127.0.0.1'],
    ['v1', '::1'],
    ['v2', '::1'],
  ])('%s from a client of %s', async (version, host) => {
    const server = await backend(haproxy);
    const port = await freePort();
    await started({
      ...web(server.target, { proxy_protocol: version }),
      listeners: [{ name: 'front', address: host.includes(':') ? `[${host}]:${port}` : `${host}:${port}` }],
    });
    const client = await connectTo(host, port);
    const expected = hostsAndPorts(client);
    expect((await told(client)).slice(0, 4)).toEqual(expected);
  });

  test('reads the TLVs, and their checksum', async () => {
    const server = await backend(haproxy);
    const tlvs = ['crc32c', 'authority', 'unique_id', 'alpn'];
    const daemon = await started(web(server.target, { proxy_protocol: { version: 'v2', tlvs } }));
    const client = await dial(daemon.port);
    const expected = hostsAndPorts(client);
    const words = await told(client);
    client.finish();
    const [line] = await daemon.ended(1);
    expect(words).toEqual([...expected, 'a.example', line?.session]);
  });
});

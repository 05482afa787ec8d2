/** PostgreSQL over TLS, routed by the name in the hello: the client's request for TLS is answered, and the endpoint asked in turn. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createTlsServer, connect as tlsConnect } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { hello, records, serverName } from '../cases/tls.js';
import { type Daemon, startDaemon, type TestConfig } from '../support/daemon.js';
import { freePort } from '../support/ports.js';
import { cleanEnvironment, runProgram } from '../support/process.js';
import { makeCertificate, postgresRecipe, RealServer } from '../support/real-servers.js';
import { dial, echo, listenTcp, type Peer, type Upstream } from '../support/tcp.js';
import { type TempFolder, tempFolder } from '../support/temp.js';
import { describeWith } from '../support/tools.js';
import { eventually } from '../support/wait.js';

const sslRequest = Buffer.from('0000000804d2162f', 'hex');
const gssRequest = Buffer.from('0000000804d21630', 'hex');
const startup = Buffer.from('\0\0\0\x14\0\x03\0\0user\0alice\0\0', 'latin1');
const named = Buffer.from(records(hello([serverName('b.example')])));

/** Both names are this machine's. */
const byName = { a: 'a.localhost', b: 'b.localhost' };

describeWith(
  'psql',
  'openssl',
  '/usr/lib/postgresql',
  'setpriv',
)('psql and two servers', () => {
  const servers: RealServer[] = [];
  let daemon: Daemon;

  /** With TLS, and a database `name`. */
  async function server(name: string): Promise<RealServer> {
    const plain = postgresRecipe(
      '-c',
      'ssl=on',
      '-c',
      'ssl_cert_file=cert.pem',
      '-c',
      'ssl_key_file=key.pem',
    );
    const backend = await RealServer.start({
      ...plain,
      async prepare(folder, port) {
        await plain.prepare?.call(plain, folder, port);
        await makeCertificate(`${folder}/data`, name, 30);
        await runProgram('chown', ['postgres', `${folder}/data/key.pem`, `${folder}/data/cert.pem`]);
        await runProgram('chmod', ['600', `${folder}/data/key.pem`]);
      },
    });
    servers.push(backend);
    const create = () =>
      psql(`host=127.0.0.1 port=${backend.port} dbname=postgres`, `create database ${name}`);
    // It accepts connections before it is ready.
    const made = await eventually('the server to be ready', async () => {
      const tried = await create();
      return /starting up/.test(tried.stderr) ? undefined : tried;
    });
    expect(made.stderr).toBe('');
    return backend;
  }

  const psql = (where: string, command: string) =>
    runProgram('psql', ['-At', `${where} user=postgres connect_timeout=10`, `--command=${command}`], {
      env: cleanEnvironment({ PGPASSWORD: 'secret' }),
    });

  beforeAll(async () => {
    const [a, b] = [await server('alpha'), await server('beta')];
    daemon = await startDaemon({
      routes: [
        { when: { protocol: 'postgres', sni: byName.a }, to: 'alpha' },
        { when: { protocol: 'postgres', sni: byName.b }, to: 'beta' },
      ],
      upstreams: { alpha: { endpoints: [a.target] }, beta: { endpoints: [b.target] } },
    });
  });

  afterAll(async () => {
    await daemon.stop();
    for (const each of servers) await each.remove();
  });

  const query = 'select current_database() || ssl from pg_stat_ssl where pid = pg_backend_pid()';
  const through = (host: string, database: string, mode: string) =>
    psql(`host=${host} hostaddr=127.0.0.1 port=${daemon.port} dbname=${database} sslmode=${mode}`, query);

  test.each([
    [byName.a, 'alpha', 'require'],
    [byName.b, 'beta', 'require'],
    [byName.b, 'beta', 'prefer'],
  ])('%s: the database %s is there, over TLS (%s)', async (host, database, mode) => {
    const before = daemon.sessions.length;
    const { stdout, stderr } = await through(host, database, mode);
    expect({ stdout, stderr }).toEqual({ stdout: `${database}true\n`, stderr: '' });
    const line = (await daemon.ended(before + 1)).at(-1);
    expect(line).toMatchObject({ protocol: 'postgres', upstream: database, facts: { sni: host } });
  });

  test('the other database is not there', async () => {
    const { status, stderr } = await through(byName.a, 'beta', 'require');
    expect(status).toBe(2);
    expect(stderr).toContain('database "beta" does not exist');
  });
});

describe('in pieces', () => {
  const open: { close?(): Promise<void>; stop?(): Promise<void> }[] = [];
  let server: Upstream;
  let daemon: Daemon;

  afterEach(async () => {
    for (const each of open.splice(0).toReversed()) await (each.stop?.() ?? each.close?.());
  });

  const bySni: TestConfig = {
    routes: [
      { when: { protocol: 'postgres', source: '127.0.0.9' }, to: 'db' },
      { when: { protocol: 'postgres', sni: 'b.example' }, to: 'db' },
    ],
  };

  async function start(serve: (peer: Peer) => void, config: TestConfig = bySni, options = {}): Promise<void> {
    server = await listenTcp(serve);
    open.push(server);
    daemon = await startDaemon({
      ...config,
      upstreams: { db: { endpoints: [server.target], dial_timeout: '5m', ...options } },
    });
    open.push(daemon);
  }

  /** Answers the first eight bytes, then echoes. */
  const answering = (answer: string) => (peer: Peer) => {
    peer.socket.once('data', () => {
      peer.socket.write(answer);
      echo(peer);
    });
  };

  async function untilHello(from = '127.0.0.1'): Promise<Peer> {
    const client = (await dial(daemon.port, from)).send(sslRequest);
    expect((await client.bytes(1)).toString()).toBe('S');
    return client;
  }

  test('the hello reaches the endpoint once it has said S, and neither counts', async () => {
    await start(answering('S'));
    const client = await untilHello();
    client.send(named.subarray(0, 10));
    await new Promise((resolve) => setTimeout(resolve, 50));
    client.send(named.subarray(10));
    expect((await client.bytes(1 + named.length)).subarray(1)).toEqual(named);
    const peer = await server.peer(0);
    expect(peer.received).toEqual(Buffer.concat([sslRequest, named]));
    client.finish();
    expect(await daemon.sessionOf(client)).toMatchObject({
      protocol: 'postgres',
      facts: { sni: 'b.example' },
      bytes_up: named.length,
      bytes_down: named.length,
      reason: 'done',
    });
  });

  test('the answer comes late, with bytes of the session behind it', async () => {
    await start((peer) => {
      peer.socket.once('data', () => setTimeout(() => peer.socket.write('Sahead'), 100));
    });
    const client = (await untilHello()).send(named);
    expect((await client.bytes(6)).toString()).toBe('Sahead');
    expect((await server.peer(0)).length).toBe(8 + named.length);
  });

  test('a PROXY header comes before the question', async () => {
    await start(answering('S'), bySni, { proxy_protocol: 'v1' });
    (await untilHello()).send(named);
    const peer = await server.peer(0);
    await eventually('the hello', () => peer.received.includes(named));
    const [header = ''] = peer.received.toString('latin1').split('\r\n');
    expect(header).toMatch(/^PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 \d+ \d+$/);
    expect(peer.received.subarray(header.length + 2)).toEqual(Buffer.concat([sslRequest, named]));
  });

  test.each([
    ['N', 'connect_failed', /has no TLS/],
    ['E', 'connect_failed', /error/],
    ['?', 'connect_failed', /as PostgreSQL does/],
  ])('an endpoint that answers %s ends it', async (answer, reason, error) => {
    await start(answering(answer));
    const client = (await untilHello()).send(named);
    expect(await client.end()).toBe('reset');
    expect(await daemon.sessionOf(client)).toMatchObject({
      by: 'upstream',
      during: 'connect',
      reason,
      error: expect.stringMatching(error),
      bytes_up: 0,
    });
    expect(await daemon.metric('anyport_connect_failures_total', { upstream: 'db', reason })).toBe(1);
  });

  test('an endpoint that never answers ends it after dial_timeout', async () => {
    await start(() => {}, bySni, { dial_timeout: '1s' });
    const client = (await untilHello()).send(named);
    expect(await client.end()).toBe('reset');
    expect(await daemon.sessionOf(client)).toMatchObject({ by: 'timeout', reason: 'connect_timeout' });
  });

  test('an endpoint that closes instead is followed by the next one', async () => {
    const closing = await listenTcp((peer) => peer.socket.once('data', () => peer.socket.end()));
    open.push(closing);
    await start(answering('S'), bySni, {});
    await daemon.reload({
      ...bySni,
      upstreams: { db: { endpoints: [closing.target, server.target] } },
    });
    for (let round = 0; round < 2; round += 1) {
      const client = (await untilHello()).send(named);
      expect((await client.bytes(1 + named.length)).subarray(1)).toEqual(named);
    }
    expect(closing.peers.length).toBeGreaterThan(0);
  });

  test('a client that is routed without the hello is not answered, but passed on', async () => {
    await start(answering('N'));
    const client = (await dial(daemon.port, '127.0.0.9')).send(sslRequest);
    expect((await client.bytes(1)).toString()).toBe('N');
    expect((await server.peer(0)).received).toEqual(sslRequest);
  });

  test('routes of other protocols do not answer for PostgreSQL', async () => {
    await start(answering('N'), {
      protocols: [{ name: 'TLS' }, { name: 'Postgres', target: 'db' }],
      routes: [{ when: { sni: 'b.example' }, to: 'reset' }],
    });
    const client = (await dial(daemon.port)).send(sslRequest);
    expect((await client.bytes(1)).toString()).toBe('N');
  });

  test('GSSAPI is declined first, and clear text may follow', async () => {
    await start(echo, {
      routes: [
        { when: { protocol: 'postgres', sni: 'b.example' }, to: 'reset' },
        { when: { protocol: 'postgres', user: 'alice' }, to: 'db' },
      ],
    });
    const client = (await dial(daemon.port)).send(gssRequest);
    expect((await client.bytes(1)).toString()).toBe('N');
    client.send(startup);
    expect((await client.bytes(1 + startup.length)).subarray(1)).toEqual(startup);
  });

  test('GSSAPI is declined, and TLS follows', async () => {
    await start(answering('S'));
    const client = (await dial(daemon.port)).send(gssRequest);
    await client.bytes(1);
    client.send(sslRequest);
    expect((await client.bytes(2)).toString()).toBe('NS');
    client.send(named);
    await client.bytes(2 + named.length);
    expect((await server.peer(0)).received).toEqual(Buffer.concat([sslRequest, named]));
  });

  test.each([
    ['clear text behind the answer', async () => (await untilHello()).send(startup)],
    ['another name', async () => (await untilHello()).send(records(hello([serverName('c.example')])))],
    [
      'bytes that do not wait',
      async () => (await dial(daemon.port)).send(Buffer.concat([sslRequest, named])),
    ],
    [
      'GSSAPI twice',
      async () => {
        const client = (await dial(daemon.port)).send(gssRequest);
        await client.bytes(1);
        return client.send(gssRequest);
      },
    ],
  ])('nobody is asked for %s', async (_, client) => {
    await start(answering('S'));
    await (await client()).end();
    expect(server.peers).toEqual([]);
  });

  test('a client that says nothing after the answer has identify_timeout', async () => {
    await start(answering('S'), { ...bySni, server: { identify_timeout: '2s' } });
    const client = await untilHello();
    await client.end();
    expect(await daemon.sessionOf(client)).toMatchObject({ reason: 'identify_timeout' });
  });

  test('a client that closes after the answer is gone, also where silence has a meaning', async () => {
    const port = await freePort();
    await start(answering('S'), {
      ...bySni,
      listeners: [{ name: 'front', address: `127.0.0.1:${port}`, on_silence: { after: '1s', to: 'db' } }],
    });
    const client = (await dial(port)).send(sslRequest);
    await client.bytes(1);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    client.finish();
    await client.end();
    expect(await daemon.sessionOf(client)).toMatchObject({ reason: 'client_gone' });
    expect(server.peers).toEqual([]);
  });

  test('TLS at once (sslnegotiation=direct) needs no question', async () => {
    const folder: TempFolder = tempFolder();
    open.push({ stop: async () => folder.remove() });
    await makeCertificate(folder.path, 'b.example', 3);
    const cert = readFileSync(`${folder.path}/cert.pem`);
    const key = readFileSync(`${folder.path}/key.pem`);
    const tls = createTlsServer({ cert, key, ALPNProtocols: ['postgresql'] }, (socket) =>
      socket.pipe(socket),
    );
    const port = await freePort();
    tls.listen(port, '127.0.0.1');
    await once(tls, 'listening');
    open.push({ close: async () => void tls.close() });
    daemon = await startDaemon({ ...bySni, upstreams: { db: { endpoints: [`127.0.0.1:${port}`] } } });
    open.push(daemon);
    const client = tlsConnect({
      port: daemon.port,
      host: '127.0.0.1',
      servername: 'b.example',
      ALPNProtocols: ['postgresql'],
      rejectUnauthorized: false,
    });
    await once(client, 'secureConnect');
    client.end('x');
    const [echoed] = await once(client, 'data');
    expect(String(echoed)).toBe('x');
    const [line] = await daemon.ended(1);
    expect(line).toMatchObject({ protocol: 'postgres', facts: { sni: 'b.example', alpn: ['postgresql'] } });
  });
});

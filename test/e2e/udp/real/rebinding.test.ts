/** ngtcp2's HTTP/3 server and client, with a NAT between that gives the client another address in the middle of a transfer. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Daemon, startDaemon, type TestConfig } from '../../../support/daemon.js';
import { Nat } from '../../../support/nat.js';
import { freePort } from '../../../support/ports.js';
import { cleanEnvironment, runProgram } from '../../../support/process.js';
import { makeCertificate } from '../../../support/real-servers.js';
import { type TempFolder, tempFolder } from '../../../support/temp.js';
import { describeWith } from '../../../support/tools.js';
import { ServerProcess } from './services/service.js';

const NAME = 'www.example.com';
const FILE_BYTES = 8_000_000;
const REBINDINGS = 4;
const FOLLOWS = { quic: { follow_connection_id: true } };

type Around = TestConfig & { readonly listener?: object };

interface Server {
  readonly target: string;
  /** Connections that it has had: one log each. */
  connections(): number;
  serves(): Promise<void>;
  stop(): Promise<void>;
}

describeWith(
  'gtlsserver',
  'gtlsclient',
  'openssl',
)('a client whose NAT forgets it', () => {
  let folder: TempFolder;
  let servers: Server[];
  let daemon: Daemon;
  let port: number;
  let nat: Nat;

  beforeEach(async () => {
    folder = tempFolder();
    mkdirSync(`${folder.path}/www`);
    writeFileSync(`${folder.path}/www/file`, randomBytes(FILE_BYTES));
    writeFileSync(`${folder.path}/www/small`, 'here');
    await makeCertificate(folder.path, NAME, 3);
    servers = await Promise.all([startServer('one'), startServer('two')]);
    for (const server of servers) await server.serves();
  });
  afterEach(async () => {
    nat.close();
    await daemon.stop();
    for (const server of servers) await server.stop();
    folder.remove();
  });

  async function startServer(name: string): Promise<Server> {
    const at = await freePort();
    const logs = `${folder.path}/${name}`;
    mkdirSync(logs);
    const files = ['-d', `${folder.path}/www`, '--qlog-dir', logs];
    const keys = [`${folder.path}/key.pem`, `${folder.path}/cert.pem`];
    const server = new ServerProcess(
      ['gtlsserver', '-q', ...files, '127.0.0.1', `${at}`, ...keys],
      tempFolder(),
    );
    return {
      target: `127.0.0.1:${at}`,
      connections: () => readdirSync(logs).length,
      serves: () =>
        server.serves(async () => expect(await download(at, 'small')).toMatchObject({ status: 0 })),
      stop: () => server.stop(),
    };
  }

  async function download(from: number, file: string, timeout = '30s', how: readonly string[] = []) {
    const into = `${folder.path}/got-${from}-${file}`;
    mkdirSync(into, { recursive: true });
    const flags = ['-q', '--exit-on-all-streams-close', `--sni=${NAME}`, `--timeout=${timeout}`, ...how];
    const args = [...flags, `--download=${into}`, '127.0.0.1', `${from}`, `https://${NAME}/${file}`];
    const { status } = await runProgram('gtlsclient', args, { env: cleanEnvironment() });
    const isWhole = () => readFileSync(`${into}/${file}`).equals(readFileSync(`${folder.path}/www/${file}`));
    return { status, isWhole: status === 0 && isWhole() };
  }

  async function start(upstream: object, { listener = {}, ...config }: Around = {}): Promise<void> {
    port = await freePort();
    daemon = await startDaemon({
      ...config,
      listeners: [{ name: 'any', address: `127.0.0.1:${port}`, transport: 'udp', ...listener }],
      protocols: [{ name: 'QUIC', target: 'web' }],
      upstreams: { web: { endpoints: servers.map(({ target }) => target), ...upstream } },
    });
    nat = await Nat.open(port);
  }

  /** In the middle of the transfer, each time another part of it has come. */
  async function rebindOften(times: number): Promise<void> {
    for (let each = 1; each <= times; each += 1)
      await nat.holdAt((each * FILE_BYTES) / (times + 2), () => nat.rebind());
  }

  const connections = (): number => servers.reduce((sum, server) => sum + server.connections(), 0);

  test.each([1, 3])('goes on with its transfer, on one connection: %i workers', async (workers) => {
    await start(FOLLOWS, { server: { workers } });
    const before = connections();
    const [got] = await Promise.all([download(nat.port, 'file'), rebindOften(REBINDINGS)]);
    expect(got).toEqual({ status: 0, isWhole: true });
    expect(connections() - before).toBe(1);
    expect(await daemon.metric('anyport_quic_followed_total', { upstream: 'web' })).toBe(REBINDINGS);
    expect(await daemon.metric('anyport_udp_flows')).toBe(1 + REBINDINGS);
    await daemon.stop();
    const told = daemon.sessions.map(({ protocol, upstream, endpoint, source }) => ({
      source,
      where: `${protocol} to ${upstream} at ${endpoint}`,
    }));
    expect(new Set(told.map(({ source }) => source))).toEqual(new Set(nat.addresses));
    expect(new Set(told.map(({ where }) => where)).size).toBe(1);
    expect(told[0]?.where).toMatch(/^QUIC to web at 127\.0\.0\.1:/i);
  });

  test('goes on across a reload', async () => {
    await start(FOLLOWS);
    const before = connections();
    const interrupted = async () => {
      await nat.holdAt(FILE_BYTES / 3, () => nat.rebind());
      const reloaded = daemon.reload();
      await nat.holdAt(FILE_BYTES / 2, async () => {
        await reloaded;
        await nat.rebind();
      });
    };
    const [got] = await Promise.all([download(nat.port, 'file'), interrupted()]);
    expect(got).toEqual({ status: 0, isWhole: true });
    expect(connections() - before).toBe(1);
  });

  test('migrates to an id that nobody has seen, where what is unknown goes to its only endpoint', async () => {
    const [only] = servers as [Server];
    await start({ ...FOLLOWS, endpoints: [only.target] }, { listener: { on_unknown: 'web' } });
    const before = connections();
    const got = await download(port, 'file', '30s', ['--change-local-addr=1ms']);
    expect(got).toEqual({ status: 0, isWhole: true });
    expect(connections() - before).toBe(1);
    expect(await daemon.metric('anyport_udp_flows')).toBe(2);
  });

  test('is lost where nobody is followed', async () => {
    await start({});
    const [got] = await Promise.all([download(nat.port, 'file', '5s'), rebindOften(1)]);
    expect(got.isWhole).toBe(false);
    expect(await daemon.metric('anyport_quic_followed_total')).toBe(0);
  });
});

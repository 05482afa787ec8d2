/**
 * Listening addresses: dual-stack side by side, Unix sockets with permissions and in the abstract namespace; network
 * sets.
 */
import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { connect, type NetConnectOpts } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon, type TestConfig } from '../support/daemon.js';
import { freePort } from '../support/ports.js';
import { echo, listenTcp, type Upstream } from '../support/tcp.js';
import { type TempFolder, tempFolder } from '../support/temp.js';
import { within } from '../support/wait.js';

let folder: TempFolder;
let upstream: Upstream;
let daemon: Daemon | undefined;

beforeEach(async () => {
  folder = tempFolder();
  upstream = await listenTcp(echo);
});

afterEach(async () => {
  await daemon?.stop();
  daemon = undefined;
  await upstream.close();
  folder.remove();
});

const start = async (config: TestConfig) => {
  daemon = await startDaemon(config);
  return daemon;
};

const PING = 'PING\r\n';

/** The reply to a PING, optionally behind a PROXY header; empty when the connection is closed. */
async function answerTo(target: NetConnectOpts, header = ''): Promise<string> {
  const socket = connect(target);
  let answer = '';
  socket.on('data', (chunk) => {
    answer += String(chunk);
    if (answer.length >= PING.length) socket.destroy();
  });
  socket.on('error', () => {});
  socket.write(`${header}${PING}`);
  await within('the answer', once(socket, 'close'));
  return answer;
}

const redis = () => [{ name: 'redis', target: upstream.target }];

describe.each([1, 2])('%i workers', (workers) => {
  test.each(['reuseport', 'handoff'])('0.0.0.0 and [::] on one port, accept: %s', async (accept) => {
    const port = await freePort();
    const running = await start({
      server: { listen: [`0.0.0.0:${port}`, `[::]:${port}`], workers, accept },
      protocols: redis(),
    });
    for (const host of ['127.0.0.1', '::1']) expect(await answerTo({ host, port })).toBe(PING);
    const lines = await running.ended(2);
    expect(new Set(lines.map(({ listener }) => listener))).toEqual(
      new Set([`0.0.0.0:${port}`, `[::]:${port}`]),
    );
  });
});

test('[::] alone takes IPv4 too', async () => {
  const port = await freePort();
  await start({ server: { listen: `[::]:${port}` }, protocols: redis() });
  for (const host of ['127.0.0.1', '::1']) expect(await answerTo({ host, port })).toBe(PING);
});

test('an IPv4-mapped address to listen on is IPv4', async () => {
  const port = await freePort();
  await start({ server: { listen: `[::ffff:127.0.0.1]:${port}` }, protocols: redis() });
  expect(await answerTo({ host: '127.0.0.1', port })).toBe(PING);
});

describe('unix sockets', () => {
  test.each([
    { why: 'owner and group by default', mode: {}, is: 0o660 },
    { why: 'as the file says', mode: { mode: '0600' }, is: 0o600 },
    { why: 'for everybody', mode: { mode: 666 }, is: 0o666 },
  ])('$why', async ({ mode, is }) => {
    const path = `${folder.path}/a.sock`;
    await start({ listeners: [{ name: 'local', address: `unix:${path}`, ...mode }], protocols: redis() });
    expect(statSync(path).mode & 0o777).toBe(is);
    expect(await answerTo({ path })).toBe(PING);
  });

  test('an abstract one is for clients and endpoints alike, and leaves no file', async () => {
    const name = `anyport-test-${process.pid}-${await freePort()}`;
    const port = await freePort();
    const running = await start({
      listeners: [
        { name: 'abstract', address: `unix:@${name}`, protocols: ['redis'] },
        { name: 'front', address: `127.0.0.1:${port}`, protocols: ['redis'] },
      ],
      routes: [
        { when: { listener: 'front' }, to: 'local' },
        { when: { listener: 'abstract' }, to: 'echo' },
      ],
      upstreams: { local: { endpoints: [`unix:@${name}`] }, echo: { endpoints: [upstream.target] } },
    });
    expect(existsSync(`${running.folder.path}/@${name}`)).toBe(false);
    // Node can not connect to an abstract socket, so its name is read from the kernel.
    expect(readFileSync('/proc/net/unix', 'latin1')).toMatch(new RegExp(` @${name}$`, 'm'));
    expect(await answerTo({ host: '127.0.0.1', port })).toBe(PING);
    const sessions = await running.ended(2);
    expect(sessions.map(({ endpoint }) => endpoint)).toContain(`unix:@${name}`);
    expect(running.lines.find(({ msg }) => msg === 'ready')).toMatchObject({
      listeners: [{ address: `unix:@${name}` }, {}],
    });
  });
});

describe('networks', () => {
  test.each([
    { network: '::/0', host: '127.0.0.1', reaches: false },
    { network: '::/0', host: '::1', reaches: true },
    { network: '0.0.0.0/0', host: '::1', reaches: false },
    { network: '::ffff:0:0/96', host: '127.0.0.1', reaches: true },
    { network: '::ffff:127.0.0.1', host: '127.0.0.1', reaches: true },
  ])('a route from $network, a client from $host: $reaches', async ({ network, host, reaches }) => {
    const port = await freePort();
    await start({
      server: { listen: `:${port}` },
      routes: [{ when: { protocol: 'redis', source: [network] }, to: 'echo' }],
      upstreams: { echo: { endpoints: [upstream.target] } },
    });
    expect(await answerTo({ host, port })).toBe(reaches ? PING : '');
  });

  test.each([
    { network: '::/0', host: '127.0.0.1', trusted: false },
    { network: '::ffff:127.0.0.0/104', host: '127.0.0.1', trusted: true },
    { network: '::/0', host: '::1', trusted: true },
  ])('PROXY headers from $network, sent from $host: $trusted', async ({ network, host, trusted }) => {
    const port = await freePort();
    const running = await start({
      listeners: [
        { name: 'front', address: `:${port}`, proxy_protocol: { accept: true, trusted: [network] } },
      ],
      protocols: redis(),
    });
    const header = 'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n';
    expect(await answerTo({ host, port }, trusted ? header : '')).toBe(PING);
    const [session] = await running.ended(1);
    expect(session?.source.startsWith('192.0.2.1')).toBe(trusted);
  });
});

/** Lists of networks (`allow_only`, `ip_blacklist`, `ip_whitelist`), as clients from several addresses notice them. */
import { once } from 'node:events';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { anyport, type Daemon, launchDaemon, startDaemon } from '../../support/daemon.js';
import { redisPing } from '../../support/flights.js';
import { freePort } from '../../support/ports.js';
import { echo, listenTcp, Peer, type Upstream } from '../../support/tcp.js';
import { type TempFolder, tempFolder } from '../../support/temp.js';
import { eventually, within } from '../../support/wait.js';
import { enter } from './visits.js';

const GUEST = '127.0.0.2';
const NEIGHBOUR = '127.0.0.3';
const STRANGER = '127.0.0.19';

let daemon: Daemon | undefined;
let upstream: Upstream;
let folder: TempFolder;

beforeEach(async () => {
  folder = tempFolder();
  upstream = await listenTcp(echo);
});

afterEach(async () => {
  await daemon?.booksBalance();
  await daemon?.stop();
  daemon = undefined;
  await upstream.close();
  folder.remove();
});

type Section = Readonly<Record<string, unknown>>;

const served = (sections: Section) => ({
  protocols: [{ name: 'Redis', target: upstream.target }],
  ...sections,
});

async function start(sections: Section): Promise<Daemon> {
  daemon = await startDaemon(served(sections));
  return daemon;
}

interface Way {
  readonly port?: number;
  readonly host?: string;
}

const knock = (from: string, { port = daemon?.port ?? 0, host }: Way = {}): Promise<Peer | null> =>
  enter(port, { from, ...(host && { host }) });

/** Whether clients from these addresses are served, one after the other. */
async function areServed(addresses: readonly string[], way?: Way): Promise<boolean[]> {
  const answers: boolean[] = [];
  for (const address of addresses) answers.push((await knock(address, way)) !== null);
  return answers;
}

const becomes = (wanted: boolean, from: string, way?: Way) =>
  eventually(
    `${from} to be ${wanted ? 'served' : 'refused'}`,
    async () => (await areServed([from], way))[0] === wanted,
  );

const denied = (running: Daemon, listener?: string) =>
  running.metric('anyport_refused_total', { reason: 'denied', ...(listener && { listener }) });

/** Replaces it as editors do. */
function write(name: string, ...lines: string[]): string {
  const path = `${folder.path}/${name}`;
  writeFileSync(`${path}.new`, lines.map((line) => `${line}\n`).join(''));
  renameSync(`${path}.new`, path);
  return path;
}

test('allow_only: whoever is not in it is reset before a byte is read, and counted', async () => {
  const running = await start({ security: { allow_only: ['127.0.0.2/31'] } });
  expect(await areServed([GUEST, NEIGHBOUR, STRANGER])).toEqual([true, true, false]);
  expect(await denied(running)).toBe(1);
  expect(await running.metric('anyport_sessions_total', { reason: 'denied' })).toBe(1);
  const line = await eventually('the line of the refusal', () =>
    running.sessions.find(({ reason }) => reason === 'denied'),
  );
  expect(line).toMatchObject({
    by: 'proxy',
    during: 'admit',
    error: 'allow_only',
    bytes_up: 0,
    upstream: null,
  });
  expect(line.source).toMatch(/^127\.0\.0\.19:\d+$/);
  expect(upstream.peers).toHaveLength(2);
});

test('ip_blacklist: who is in it is refused, whoever trusts it', async () => {
  const security = {
    ip_blacklist: ['127.0.0.2', '127.0.0.16/28'],
    ip_whitelist: [GUEST],
    allow_only: [GUEST, NEIGHBOUR],
  };
  const running = await start({ security });
  expect(await areServed([GUEST, NEIGHBOUR, STRANGER])).toEqual([false, true, false]);
  expect(await denied(running)).toBe(2);
  await running.ended(2);
  expect(running.sessions.map(({ error }) => error)).toEqual(['ip_blacklist', 'ip_blacklist']);
});

test('ip_whitelist: who is in it is not limited as a source', async () => {
  const running = await start({
    server: { max_connections_per_ip: 1 },
    security: { ip_whitelist: [GUEST] },
  });
  expect(await areServed([GUEST, GUEST, GUEST])).toEqual([true, true, true]);
  expect(await areServed([NEIGHBOUR, NEIGHBOUR])).toEqual([true, false]);
  expect(await running.metric('anyport_refused_total', { reason: 'over_limit' })).toBe(1);
  expect(await denied(running)).toBe(0);
});

describe('IPv6 and IPv4', () => {
  test('on a socket of both, an IPv4 client is IPv4, and `::/0` is IPv6 alone', async () => {
    const port = await freePort();
    const listeners = [{ name: 'both', address: `[::]:${port}` }];
    const running = await start({ listeners, security: { ip_blacklist: [NEIGHBOUR, '::ffff:127.0.0.19'] } });
    expect(await areServed([GUEST, NEIGHBOUR, STRANGER], { port })).toEqual([true, false, false]);
    expect(await areServed(['::1'], { port, host: '::1' })).toEqual([true]);
    expect(await running.reload(served({ listeners, security: { ip_blacklist: ['::/0'] } }))).toMatchObject({
      msg: 'reloaded',
    });
    await becomes(false, '::1', { port, host: '::1' });
    expect(await areServed([GUEST, NEIGHBOUR, STRANGER], { port })).toEqual([true, true, true]);
    await running.reload(served({ listeners, security: { allow_only: ['::1'] } }));
    await becomes(false, GUEST, { port });
    expect(await areServed(['::1'], { port, host: '::1' })).toEqual([true]);
  });
});

describe('of a listener', () => {
  test('they hold there alone, besides those of all', async () => {
    const [inner, outer] = [await freePort(), await freePort()];
    const running = await start({
      listeners: [
        { name: 'inner', address: `127.0.0.1:${inner}`, allow_only: ['127.0.0.2', STRANGER] },
        { name: 'outer', address: `127.0.0.1:${outer}`, ip_blacklist: [NEIGHBOUR] },
      ],
      security: { ip_blacklist: [STRANGER], allow_only: ['127.0.0.0/28', STRANGER] },
    });
    expect(await areServed([GUEST, NEIGHBOUR, STRANGER], { port: inner })).toEqual([true, false, false]);
    expect(await areServed([GUEST, NEIGHBOUR, STRANGER], { port: outer })).toEqual([true, false, false]);
    // In the one of the listener, not in that of all.
    expect(await areServed(['127.0.0.99'], { port: inner })).toEqual([false]);
    expect(await denied(running, 'inner')).toBe(3);
    expect(await denied(running, 'outer')).toBe(2);
  });

  test('one that is trusted there is limited elsewhere', async () => {
    const [inner, outer] = [await freePort(), await freePort()];
    await start({
      server: { max_connections_per_ip: 1 },
      listeners: [
        { name: 'inner', address: `127.0.0.1:${inner}`, ip_whitelist: [GUEST] },
        { name: 'outer', address: `127.0.0.1:${outer}` },
      ],
    });
    expect(await areServed([GUEST, GUEST], { port: inner })).toEqual([true, true]);
    expect(await areServed([GUEST, GUEST], { port: outer })).toEqual([true, false]);
  });

  test('one that comes with a reload never serves whom it does not allow', async () => {
    const [first, second] = [await freePort(), await freePort()];
    const front = { name: 'front', address: `127.0.0.1:${first}` };
    const running = await start({ server: { workers: 2 }, listeners: [front] });
    let isOver = false as boolean;
    const reached: Peer[] = [];
    const knocking = (async () => {
      while (!isOver) {
        const socket = connect({ port: second, host: '127.0.0.1', localAddress: STRANGER });
        const client = new Peer(socket);
        socket.write(redisPing);
        await within('the end', Promise.race([client.ended, once(socket, 'data')]));
        if (client.length > 0) reached.push(client);
        socket.destroy();
      }
    })();
    const back = { name: 'back', address: `127.0.0.1:${second}`, allow_only: [GUEST] };
    expect(await running.reload(served({ server: { workers: 2 }, listeners: [front, back] }))).toMatchObject({
      msg: 'reloaded',
    });
    await eventually('refusals', async () => (await denied(running, 'back')) > 20);
    isOver = true;
    await knocking;
    expect(reached).toEqual([]);
    expect(await areServed([GUEST], { port: second })).toEqual([true]);
  });

  test('clients of a unix socket have no address: lists of all are not for them, and it can have none', async () => {
    const address = `unix:${folder.path}/a.sock`;
    const listeners = [{ name: 'local', address }];
    const running = await start({
      listeners,
      security: { allow_only: ['192.0.2.1'], ip_blacklist: ['0.0.0.0/0', '::/0'] },
    });
    const socket = connect(`${folder.path}/a.sock`);
    socket.write(redisPing);
    const client = new Peer(socket);
    expect(await client.bytes(redisPing.length)).toEqual(Buffer.from(redisPing));
    running.configure(served({ listeners: [{ ...listeners[0], ip_blacklist: ['10.0.0.0/8'] }] }));
    const checked = await anyport(['check', running.file]);
    expect(checked.stderr + checked.stdout).toContain(
      'listeners[0].ip_blacklist: has no effect: the clients of a unix socket have no address',
    );
    socket.destroy();
  });
});

test('the address that a PROXY header announces is judged, in every accept mode', async () => {
  for (const accept of ['reuseport', 'handoff']) {
    const port = await freePort();
    const proxy_protocol = { accept: true, trusted: ['127.0.0.9'] };
    const running = await start({
      server: { accept, workers: 2 },
      listeners: [
        {
          name: 'front',
          address: `127.0.0.1:${port}`,
          proxy_protocol,
          allow_only_files: [write('ours', '127.0.0.9', '192.0.2.0/24')],
        },
      ],
      security: { ip_blacklist: ['192.0.2.7'] },
    });
    const announce = async (address: string) => {
      const socket = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.9' });
      const client = new Peer(socket);
      socket.write(`PROXY TCP4 ${address} 127.0.0.1 4000 80\r\n`);
      socket.write(redisPing);
      await eventually('an answer or the end', () => client.length > 0 || client.ending !== undefined);
      return client.length > 0;
    };
    expect(await announce('192.0.2.6')).toBe(true);
    expect(await announce('192.0.2.7')).toBe(false);
    expect(await announce('198.51.100.1')).toBe(false);
    expect(await areServed([GUEST], { port })).toEqual([false]);
    await running.booksBalance();
    await running.stop();
    daemon = undefined;
  }
});

test('a reload changes them for those who come; who is there stays', async () => {
  const running = await start({ security: { allow_only: [GUEST] } });
  const early = await knock(GUEST);
  await running.reload(served({ security: { ip_blacklist: [GUEST] } }));
  await becomes(false, GUEST);
  expect(await areServed([NEIGHBOUR])).toEqual([true]);
  early?.send(redisPing);
  expect(await early?.bytes(2 * redisPing.length)).toHaveLength(2 * redisPing.length);
  const before = await running.metric('anyport_list_entries');
  expect(await running.reload(served({ security: { ip_blacklist: ['127.0.0.300'] } }))).toMatchObject({
    msg: 'reload refused, the running configuration stays',
  });
  expect(await running.metric('anyport_list_entries')).toBe(before);
  expect(await areServed([GUEST, NEIGHBOUR])).toEqual([false, true]);
});

describe('files', () => {
  test('each list may have some, beside what is written', async () => {
    const running = await start({
      server: { max_connections_per_ip: 1 },
      security: {
        allow_only: ['127.0.0.2'],
        allow_only_files: [write('allowed', '# ours', '127.0.0.3\r', '', '127.0.0.16/28 # guests')],
        ip_blacklist_files: [write('denied', STRANGER), write('more', '127.0.0.18')],
        ip_whitelist_files: [write('trusted', GUEST)],
      },
    });
    expect(await areServed([GUEST, GUEST, NEIGHBOUR, NEIGHBOUR])).toEqual([true, true, true, false]);
    expect(await areServed(['127.0.0.17', '127.0.0.18', STRANGER, '127.0.0.4'])).toEqual([
      true,
      false,
      false,
      false,
    ]);
    const entries = (list: string) => running.metric('anyport_list_entries', { list });
    expect([
      await entries('allow_only'),
      await entries('ip_blacklist'),
      await entries('ip_whitelist'),
    ]).toEqual([3, 2, 1]);
    expect(await running.metric('anyport_list_bytes', { list: 'allow_only' })).toBeGreaterThan(0);
    const readAt = await running.metric('anyport_list_read_timestamp_seconds', { list: 'ip_blacklist' });
    expect(Math.abs(Date.now() / 1000 - readAt)).toBeLessThan(600);
  });

  test('that change are read again, whether written in place or replaced; who is there stays', async () => {
    const path = write('denied', STRANGER);
    const running = await start({ security: { ip_blacklist_files: ['denied'].map(() => path) } });
    expect(await areServed([GUEST, STRANGER])).toEqual([true, false]);
    const early = await knock(GUEST);
    writeFileSync(path, `${GUEST}\n`);
    await becomes(false, GUEST);
    await becomes(true, STRANGER);
    early?.send(redisPing);
    expect(await early?.bytes(2 * redisPing.length)).toHaveLength(2 * redisPing.length);
    write('denied', NEIGHBOUR, STRANGER);
    await becomes(false, NEIGHBOUR);
    expect(await areServed([GUEST, STRANGER])).toEqual([true, false]);
    const read = () => running.lines.filter(({ msg }) => msg === 'a list has been read again');
    await eventually('the lines', () => read().length >= 2);
    expect(read().map(({ entries }) => entries)).toEqual([1, 2]);
    expect(running.lines.some(({ msg }) => msg === 'reloaded')).toBe(false);
  });

  test('that vanish or go bad keep what they had; that is said once, until they are good again', async () => {
    const path = write('denied', GUEST);
    const running = await start({
      security: { ip_blacklist_files: [path] },
      admin: { listen: `127.0.0.1:${await freePort()}` },
    });
    const stale = (wanted: number) =>
      running.metricBecomes('anyport_list_stale_files', wanted, { list: 'ip_blacklist' });
    const said = () =>
      running.lines.filter(
        ({ msg }) => msg === 'a list can not be read again; what it had last stays in force',
      );
    rmSync(path);
    await stale(1);
    expect(await areServed([GUEST, NEIGHBOUR])).toEqual([false, true]);
    await eventually('the first fault', () => said().length > 0);
    expect(said()).toMatchObject([{ file: path, problems: ['can not be read: no such file'] }]);
    write('denied', NEIGHBOUR, '127.0.0.0/33', 'who?');
    await eventually('the second fault', () => said().length === 2);
    expect(said()[1]).toMatchObject({
      problems: [
        expect.stringMatching(/^line 2: .*"127\.0\.0\.0\/33"$/),
        expect.stringMatching(/^line 3: .*"who\?"$/),
      ],
    });
    expect(await areServed([GUEST, NEIGHBOUR])).toEqual([false, true]);
    const status = await anyport(['status', '-c', running.file]);
    expect(status.stdout).toContain('ip_blacklist: 1 network');
    expect(status.stdout).toMatch(
      /what it had last is in force: .*denied:2: expected an address or a network/,
    );
    write('denied', NEIGHBOUR);
    await stale(0);
    await becomes(false, NEIGHBOUR);
    expect(await areServed([GUEST])).toEqual([true]);
    expect(said()).toHaveLength(2);
    expect(await running.metric('anyport_list_failures_total')).toBeGreaterThanOrEqual(2);
  });

  test('allow_only is never empty: a file that loses its networks keeps them, and at a start it is a problem', async () => {
    const path = write('allowed', GUEST);
    const running = await start({ security: { allow_only_files: [path] } });
    write('allowed', '# nobody');
    await eventually('a word about it', () =>
      running.lines.some(({ msg }) => msg === 'a list keeps what it had last'),
    );
    expect(await areServed([GUEST, NEIGHBOUR])).toEqual([true, false]);
    expect(
      await running.reload(served({ security: { allow_only_files: [path] }, routes: [] })),
    ).toMatchObject({ msg: expect.stringContaining('unchanged') });
    const other = write('other', '# nobody');
    const refusal = await running.reload(served({ security: { allow_only_files: [other] } }));
    expect(refusal).toMatchObject({ msg: 'reload refused, the running configuration stays' });
    expect(running.lines.at(-1)?.msg).toContain(`${other}: security.allow_only_files[0]: has no network`);
  });

  test('that are missing or wrong at a start or a reload are problems with their place', async () => {
    const bad = write('bad', '10.0.0.0/8', '10.0.0.0/8x');
    const failed = await launchDaemon(served({ security: { ip_blacklist_files: [bad] } }));
    expect(await failed.exit()).toBe(2);
    const fatal = failed.lines.find(({ level }) => level === 'fatal');
    expect(fatal?.msg).toBe(
      `${bad}:2: security.ip_blacklist_files[0]: expected an address or a network such as \`10.0.0.0/8\`, got "10.0.0.0/8x"`,
    );
    const checked = await anyport(['check', failed.file]);
    expect([checked.status, checked.stderr]).toEqual([
      2,
      `${fatal?.msg}\nanyport: 1 problem in the configuration\n`,
    ]);
    failed.folder.remove();
    const running = await start({});
    const missing = { security: { allow_only_files: ['gone.txt'] } };
    expect(await running.reload(served(missing))).toMatchObject({
      msg: 'reload refused, the running configuration stays',
    });
    expect(running.lines.at(-1)?.msg).toMatch(
      /anyport\.yaml:\d+:\d+: security\.allow_only_files\[0\]: no such file: .*gone\.txt$/,
    );
    await running.reload(
      served({ listeners: [{ name: 'a', address: `127.0.0.1:${running.port}`, ip_whitelist_files: [bad] }] }),
    );
    expect(running.lines.at(-1)?.msg).toContain(`${bad}:2: listeners[0].ip_whitelist_files[0]: `);
    expect(await areServed([GUEST])).toEqual([true]);
  });

  test('of a million networks are read beside the sessions, and no worker has them twice', async () => {
    const running = await start({
      server: { workers: 2 },
      security: { ip_blacklist_files: [write('denied', STRANGER)] },
    });
    const client = (await knock(GUEST)) as Peer;
    const lines = Array.from(
      { length: 1_000_000 },
      (_, i) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}/31`,
    );
    write('denied', NEIGHBOUR, lines.join('\n'));
    let answers = 1;
    await eventually('the list', async () => {
      client.send(redisPing);
      answers += 1;
      await client.bytes(answers * redisPing.length);
      return (await running.metric('anyport_list_entries')) === 1_000_001;
    });
    await becomes(false, NEIGHBOUR);
    expect(await areServed([STRANGER, GUEST])).toEqual([true, true]);
    expect(await running.metric('anyport_list_bytes')).toBeLessThan(16 * 1_000_001);
  });
});

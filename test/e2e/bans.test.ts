/** Bans from the client's side: made and lifted while the daemon runs, seen by operators, metrics, log and file. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ControlSite, startControlled } from '../support/control.js';
import { anyport, type Daemon, type ServerSection, type TestConfig } from '../support/daemon.js';
import { redisPing } from '../support/flights.js';
import { dial, echo, listenTcp, type Upstream } from '../support/tcp.js';
import { eventually } from '../support/wait.js';

const BANNED = '127.0.0.7';
const TRUSTED = '127.0.1.1';

let upstream: Upstream;
let daemon: Daemon;
let site: ControlSite;
let port: number;
let config: TestConfig;

beforeEach(async () => {
  upstream = await listenTcp(echo);
});

afterEach(async () => {
  await daemon.stop();
  await upstream.close();
});

async function start(security: ServerSection = {}, server: ServerSection = {}): Promise<void> {
  config = { server, security, protocols: [{ name: 'Redis', target: upstream.target }] };
  ({ daemon, site, port } = await startControlled(config));
}

/** Whether a client there is served; a refused one is reset before a byte of it is read. */
async function isServed(from: string): Promise<boolean> {
  const client = await dial(daemon.port, from).catch(() => null);
  if (client === null) return false;
  client.send(redisPing);
  const answer = await Promise.race([client.bytes(redisPing.length), client.end()]).catch(() => 'reset');
  client.reset();
  return answer !== 'reset' && answer !== 'fin';
}

const add = (body: object) => site.ask('POST', '/api/v1/bans', { body });
const list = async () => (await site.get('/api/v1/bans')).body;
const linesThat = (msg: string) => daemon.lines.filter((line) => line.msg === msg);

describe.each(['reuseport', 'handoff'])('accept %s', (accept) => {
  test('a ban shuts out its address alone, at once, and lifted it lets it in again', async () => {
    await start({}, { accept, workers: 2 });
    const held = (await dial(daemon.port, BANNED)).send(redisPing);
    await held.bytes(redisPing.length);
    const told = await add({ ip: BANNED, for: '10m', reason: 'a test' });
    expect(told).toMatchObject({
      status: 201,
      body: { ban: { address: BANNED, cause: 'operator', reason: 'a test' } },
    });
    for (let each = 0; each < 4; each += 1) expect(await isServed(BANNED)).toBe(false);
    expect(await isServed('127.0.0.8')).toBe(true);
    held.send(redisPing);
    await held.bytes(2 * redisPing.length); // what it has goes on
    expect(await list()).toMatchObject({ active: 1, bans: [{ address: BANNED }] });
    expect(await daemon.metric('anyport_bans_active')).toBe(1);
    expect(await daemon.metric('anyport_refused_total', { reason: 'banned' })).toBe(4);
    expect((await site.get('/api/v1/status')).body.security).toMatchObject({
      refused: { banned: 4 },
      bansActive: 1,
    });
    expect((await site.ask('DELETE', `/api/v1/bans/${BANNED}`)).status).toBe(200);
    expect(await isServed(BANNED)).toBe(true);
    expect((await site.ask('DELETE', `/api/v1/bans/${BANNED}`)).status).toBe(404);
    expect(await daemon.metric('anyport_bans_active')).toBe(0);
    held.finish();
  });
});

test('a refused one has a line, with its address and the key that refuses it', async () => {
  await start({}, { workers: 1 });
  await add({ ip: BANNED });
  for (let each = 0; each < 5; each += 1) await isServed(BANNED);
  await daemon.ended(1);
  const [line, ...more] = daemon.sessions.filter(({ reason }) => reason === 'banned');
  expect(line).toMatchObject({ by: 'proxy', during: 'admit', error: 'ban', bytes_up: 0, protocol: null });
  expect(line?.source).toMatch(new RegExp(`^${BANNED}:`));
  expect(more).toEqual([]);
});

test('begin and end are in the log', async () => {
  await start();
  await add({ ip: '2001:db8::7', for: '1h' });
  await site.ask('DELETE', '/api/v1/bans/2001:db8::9');
  await add({ ip: BANNED, for: '1s', reason: 'short' });
  await eventually('both to begin', () => linesThat('source banned').length === 2);
  expect(linesThat('source banned')).toMatchObject([
    { source: '2001:db8::/64', cause: 'operator' },
    { level: 'warn', source: BANNED, cause: 'operator', reason: 'short' },
  ]);
  await eventually('both to be over', () => linesThat('ban over').length === 2);
  expect(linesThat('ban over')).toMatchObject([
    { source: '2001:db8::/64', lifted: true },
    { source: BANNED },
  ]);
  expect(await isServed(BANNED)).toBe(true);
});

test('the documented expression for fail2ban finds who is banned', async () => {
  await start();
  await add({ ip: BANNED, reason: '"source":"192.0.2.1","msg":"source banned"}' });
  await add({ ip: '2001:db8::7' });
  await eventually('both to begin', () => linesThat('source banned').length === 2);
  const [, failregex = ''] = /^failregex = (.+)$/m.exec(readFileSync('docs/operations.md', 'utf8')) ?? [];
  const banned = new RegExp(failregex.replace('<SUBNET>', '([0-9a-f.:/]+)'));
  const found = daemon.lines.flatMap((line) => banned.exec(JSON.stringify(line))?.[1] ?? []);
  expect(found).toEqual([BANNED, '2001:db8::/64']);
});

test('a reload keeps bans, and a trusted source is not banned', async () => {
  await start({ ip_whitelist: ['127.0.1.0/24'] });
  expect(await add({ ip: TRUSTED })).toMatchObject({
    status: 409,
    body: { error: { code: 'trusted', path: 'ip' } },
  });
  await add({ ip: BANNED });
  await daemon.reload({ ...config, admin: { listen: `127.0.0.1:${port}` }, logging: { level: 'debug' } });
  expect(await isServed(BANNED)).toBe(false);
  expect(await isServed(TRUSTED)).toBe(true);
  expect((await list()).active).toBe(1);
});

test('what security has done is counted, each refusal by its key', async () => {
  await start({}, { max_connections: 1, workers: 1 });
  await add({ ip: BANNED });
  expect(await isServed(BANNED)).toBe(false);
  expect(await isServed(BANNED)).toBe(false);
  const inside = (await dial(daemon.port)).send(redisPing);
  await inside.bytes(redisPing.length);
  expect(await isServed('127.0.0.1')).toBe(false);
  const { body } = await site.get('/api/v1/status');
  expect(body.security).toEqual({
    total: 4,
    blocked: 3,
    rateLimited: 0,
    whitelisted: 0,
    blacklisted: 0,
    attacks: 0,
    refused: { overLimit: 1, denied: 0, rateLimited: 0, banned: 2 },
    rejected: 0,
    bansActive: 1,
  });
  const checks = (check: string) => daemon.metric('anyport_admission_checks_total', { check });
  expect([await checks('ban'), await checks('max_connections'), await checks('ip_blacklist')]).toEqual([
    2, 1, 0,
  ]);
  expect(await daemon.metric('anyport_bans_total', { cause: 'operator' })).toBe(1);
  inside.finish();
  await daemon.booksBalance();
});

test('what the lists have done is counted', async () => {
  await start({ ip_whitelist: ['127.0.1.0/24'], ip_blacklist: ['127.0.2.0/24'] });
  for (let each = 0; each < 3; each += 1) expect(await isServed(TRUSTED)).toBe(true);
  for (let each = 0; each < 2; each += 1) expect(await isServed('127.0.2.1')).toBe(false);
  expect((await site.get('/api/v1/status')).body.security).toMatchObject({
    total: 5,
    blocked: 2,
    whitelisted: 3,
    blacklisted: 2,
    refused: { denied: 2 },
  });
});

test('what makes no sense is refused with its place', async () => {
  await start();
  for (const [body, path] of [
    [{ ip: 'localhost' }, 'ip'],
    [{ ip: '127.0.0.0/8' }, 'ip'],
    [{ ip: BANNED, for: 'soon' }, 'for'],
    [{ ip: BANNED, for: '0s' }, 'for'],
    [{ ip: BANNED, reason: 'x'.repeat(201) }, 'reason'],
    [{ ip: BANNED, until: 'x' }, 'until'],
    [{}, 'ip'],
  ] as const) {
    expect(await add(body)).toMatchObject({ status: 422, body: { error: { code: 'invalid', path } } });
  }
  expect(await list()).toEqual({ bans: [], active: 0 });
});

test('the exported file follows, from the start on', async () => {
  await start();
  const file = `${daemon.folder.path}/bans`;
  await add({ ip: BANNED });
  expect(existsSync(file)).toBe(false);
  const next = { ...config, admin: { listen: `127.0.0.1:${port}` } };
  await daemon.reload({ ...next, security: { ban_export: file } });
  const becomes = (text: string) =>
    eventually(
      `the file to be ${JSON.stringify(text)}`,
      () => existsSync(file) && readFileSync(file, 'utf8') === text,
    );
  await becomes(`${BANNED}\n`);
  await add({ ip: '2001:db8::7' });
  await becomes(`${BANNED}\n2001:db8::/64\n`);
  await site.ask('DELETE', `/api/v1/bans/${BANNED}`);
  await becomes('2001:db8::/64\n');
  // A firewall is not to drop whom a list of trusted ones, from then on, lets in.
  const trusted = `${daemon.folder.path}/trusted`;
  writeFileSync(trusted, '');
  await daemon.reload({ ...next, security: { ban_export: file, ip_whitelist_files: [trusted] } });
  writeFileSync(trusted, '2001:db8::/32\n');
  await becomes('');
  await daemon.reload({ ...next, security: { ban_export: '/nonexistent/folder/bans' } });
  const said = 'security.ban_export: /nonexistent/folder/bans: there is no such folder (ENOENT)';
  expect(JSON.stringify(daemon.lines)).toContain(said);
  await add({ ip: '127.0.0.9' });
  await add({ ip: '127.0.0.10' });
  await eventually('the error', () => linesThat('the bans can not be exported').length > 0);
  expect(linesThat('the bans can not be exported')).toHaveLength(1);
});

test('anyport ban lists, adds and lifts', async () => {
  await start();
  const run = (...args: string[]) => anyport(['ban', ...args, '--admin', `127.0.0.1:${port}`]);
  expect(await run()).toMatchObject({ status: 0, stdout: '0 bans\n' });
  const added = await run('add', BANNED, '--for', '1h', '--reason', 'scans \u001b[31m every port');
  expect(added.stdout).toMatch(
    /^ADDRESS +CAUSE +SINCE +LEFT +REASON\n127\.0\.0\.7 +operator +20.*scans \\x1b\[31m every port\n$/,
  );
  expect(await isServed(BANNED)).toBe(false);
  expect((await run('list')).stdout).toMatch(/^ADDRESS .*\n127\.0\.0\.7 .*\n1 ban\n$/);
  expect(JSON.parse((await run('list', '--json')).stdout)).toMatchObject({ active: 1 });
  await run('add', '127.0.0.9');
  expect((await run('--limit', '1')).stdout).toMatch(/1 of 2 bans \(--limit shows more\)/);
  expect(await run('lift', BANNED)).toMatchObject({
    status: 0,
    stdout: `${BANNED} is not banned any more\n`,
  });
  expect(await isServed(BANNED)).toBe(true);
  expect(await run('lift', BANNED)).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/is not banned/),
  });
  expect(await run('add', 'nobody')).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/ip: expected an address/),
  });
});

/** No secret of a configuration is seen outside of it: not in logs, answers, errors, differences, nor in `ps`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ControlSite, send } from '../support/control.js';
import { anyport, type Daemon, startDaemon, type TestConfig } from '../support/daemon.js';
import { freePort } from '../support/ports.js';
import { type TempFolder, tempFolder } from '../support/temp.js';
import { eventually } from '../support/wait.js';

const TOKEN = 'token-246813579-abc';
const PASSWORD = 'pass-246813579-def';
const MARK = /246813579/;

let daemon: Daemon;
let port: number;
let folder: TempFolder;
let config: TestConfig;

beforeAll(async () => {
  folder = tempFolder();
  port = await freePort();
  const check = { type: 'redis', password: PASSWORD, interval: '100ms' };
  config = {
    admin: { listen: `127.0.0.1:${port}`, token: TOKEN },
    logging: { level: 'trace' },
    upstreams: { cache: { endpoints: [`127.0.0.1:${await freePort()}`], health_check: check } },
    protocols: [{ name: 'Redis', target: 'cache' }],
  };
  daemon = await startDaemon(config);
});

afterAll(async () => {
  await daemon.stop();
  folder.remove();
});

const headers = { authorization: `Bearer ${TOKEN}` };
const ask = (method: string, path: string, body?: unknown) =>
  send({ host: '127.0.0.1', port }, method, path, { headers, ...(body !== undefined && { body }) });

test('no resource shows one, and a refused token is not repeated', async () => {
  const paths = ['config', 'status', 'upstreams', 'sessions', 'protocols', 'openapi.json'];
  for (const path of ['/', '/metrics', '/health/ready', ...paths.map((name) => `/api/v1/${name}`)]) {
    const { status, body } = await ask('GET', path);
    expect(status).toBe(200);
    expect(JSON.stringify(body)).not.toMatch(MARK);
  }
  const wrong = { headers: { authorization: 'Bearer wrong-246813579' } };
  const refused = await send({ host: '127.0.0.1', port }, 'GET', '/api/v1/status', wrong);
  expect(refused.status).toBe(401);
  expect(JSON.stringify(refused)).not.toMatch(MARK);
});

test('a difference and its problems do not', async () => {
  const { body } = await ask('GET', '/api/v1/config');
  const cache = { ...body.upstreams.cache };
  cache.health_check = { ...cache.health_check, password: 'other-246813579' };
  const wanted = { ...body, admin: { ...body.admin, token: 'other-246813579-x' }, upstreams: { cache } };
  const told = await ask('POST', '/api/v1/config/diff', wanted);
  expect(told.status).toBe(200);
  expect(told.body.items.length).toBe(2);
  expect(JSON.stringify(told.body)).not.toMatch(MARK);
  const wrong = { ...wanted, admin: { ...wanted.admin, token: 246813579 } };
  const refused = await ask('PUT', '/api/v1/config', wrong);
  expect(refused.status).toBe(422);
  expect(JSON.stringify(refused.body)).not.toMatch(MARK);
});

test('a reload that is refused does not, and nothing else that is logged', async () => {
  const file = `${daemon.folder.path}/anyport.yaml`;
  const before = readFileSync(file, 'utf8');
  writeFileSync(file, before.replace(JSON.stringify(TOKEN), '246813579'));
  expect(readFileSync(file, 'utf8')).not.toBe(before);
  expect((await ask('POST', '/api/v1/reload')).status).toBe(422);
  await eventually('a line about it', () => daemon.lines.some(({ level }) => level === 'error'));
  expect(JSON.stringify((await ask('GET', '/api/v1/status')).body.lastChange)).toMatch(/expected text/);
  writeFileSync(file, before);
  expect((await ask('POST', '/api/v1/reload')).status).toBe(200);
  const { body } = await ask('GET', '/api/v1/status');
  expect(JSON.stringify(body)).not.toMatch(MARK);
  await daemon.stop();
  expect(JSON.stringify(daemon.lines)).not.toMatch(MARK);
  expect(daemon.stderr).not.toMatch(MARK);
});

test('`ps` does not show the token of a command', async () => {
  const server = createServer(() => {}).listen(0, '127.0.0.1'); // takes requests, and never answers
  await once(server, 'listening');
  const asked = once(server, 'connection');
  const arguments_ = [
    'status',
    '--admin',
    `127.0.0.1:${(server.address() as AddressInfo).port}`,
    '--token',
    TOKEN,
  ];
  const child = spawn(process.execPath, [resolve('dist/cli/main.js'), ...arguments_]);
  await asked;
  const shown = readFileSync(`/proc/${child.pid}/cmdline`, 'latin1');
  child.kill();
  server.close();
  expect(shown).toContain('status');
  expect(shown).not.toMatch(MARK);
});

test('a token may come from a file', async () => {
  const own = await freePort();
  const other = await startDaemon({ ...config, admin: { listen: `127.0.0.1:${own}`, token: TOKEN } });
  writeFileSync(`${folder.path}/token`, `${TOKEN}\n`);
  const place = ['--admin', `127.0.0.1:${own}`];
  const found = await anyport(['status', ...place, '--token-file', `${folder.path}/token`]);
  expect(found).toMatchObject({ status: 0, stdout: expect.stringMatching(/^status +ready/m) });
  const missing = await anyport(['status', ...place, '--token-file', `${folder.path}/none`]);
  expect(missing).toMatchObject({ status: 2, stderr: expect.stringMatching(/--token-file: ENOENT/) });
  expect(await new ControlSite({ host: '127.0.0.1', port: own }).get('/')).toMatchObject({ status: 401 });
  await other.stop();
});

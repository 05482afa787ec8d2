/** Every program in examples/ runs, and does what it says, with real clients. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { collect, runProgram } from '../support/process.js';
import { dial, listenTcp, type Upstream } from '../support/tcp.js';
import { tempFolder } from '../support/temp.js';
import { eventually, within } from '../support/wait.js';
import { ANY, SSH } from './anyport.js';

interface Example {
  readonly port: number;
  said(): string;
}

const tried = new Set<string>();
const running: ChildProcess[] = [];
const upstreams: Upstream[] = [];

/** Each ends by itself when it is told to, with nothing on standard error. */
afterEach(async () => {
  for (const child of running.splice(0)) {
    const errors = collect(child.stderr as NodeJS.ReadableStream);
    child.kill('SIGTERM');
    const ended = child.exitCode === null ? once(child, 'exit') : Promise.resolve([child.exitCode]);
    expect(await within('the example to end', ended)).toEqual([0, null]);
    expect(errors()).toBe('');
  }
  await Promise.all(upstreams.splice(0).map((upstream) => upstream.close()));
});

async function start(name: string, env: NodeJS.ProcessEnv = {}, ...args: string[]): Promise<Example> {
  tried.add(name);
  const child = spawn(process.execPath, [`examples/${name}`, ...args], {
    env: { ...process.env, LISTEN: ANY, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.push(child);
  const said = collect(child.stdout);
  const port = await eventually(`${name} to listen`, () => /listening on \S+:(\d+)/.exec(said())?.[1]);
  return { port: Number(port), said };
}

async function serverThatSays(text: string): Promise<string> {
  const upstream = await listenTcp((peer) => peer.socket.end(text));
  upstreams.push(upstream);
  return upstream.target;
}

async function answer(port: number, bytes: string | Uint8Array, length: number): Promise<string> {
  const peer = await dial(port);
  peer.send(bytes);
  const answered = String(await peer.bytes(length));
  peer.finish();
  return answered;
}

const page = async (port: number, path = '/') => {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: 'close' } });
  return response.text();
};

test('basic: three servers behind one port', async () => {
  const { port } = await start('basic.mjs', {
    WEB: await serverThatSays('HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nweb'),
    SSHD: await serverThatSays('SSH-2.0-behind\r\n'),
    REDIS: await serverThatSays('+PONG\r\n'),
  });
  expect(await page(port)).toBe('web');
  expect(await answer(port, SSH, 16)).toBe('SSH-2.0-behind\r\n');
  const { stdout } = await runProgram('redis-cli', ['-p', `${port}`, 'ping']);
  expect(stdout).toBe('PONG\n');
});

test('internal handlers: a web server, a Redis and an echo in the program itself', async () => {
  const { port } = await start('internal-handlers.mjs');
  expect(await page(port, '/a')).toBe('visit 1, GET /a\n');
  expect(await page(port)).toBe('visit 2, GET /\n');
  const { stdout } = await runProgram('redis-cli', ['-p', `${port}`, 'ping']);
  expect(stdout).toBe('PONG\n');
  expect(await answer(port, '\x00\x01hello', 7)).toBe('\x00\x01hello');
});

test('custom validator: the right sum is served, a wrong one is not, in pieces too', async () => {
  const { port } = await start('custom-validator.mjs');
  const frame = Uint8Array.of(0xaa, 0x55, 3, 1, 2, 3, 6);
  expect(await answer(port, frame, 16)).toBe('sensor: 3 bytes\n');
  const slow = await dial(port);
  for (const byte of frame) slow.send(Uint8Array.of(byte));
  expect(String(await slow.finish().bytes(16))).toBe('sensor: 3 bytes\n');
  const wrong = await dial(port);
  wrong.send(Uint8Array.of(0xaa, 0x55, 3, 1, 2, 3, 7)).finish();
  await wrong.end();
  expect(wrong.length).toBe(0);
});

test('high performance: threads, two endpoints, a built-in handler', async () => {
  const servers = await Promise.all(
    ['one', 'two'].map((name) => serverThatSays(`HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n${name}`)),
  );
  const { port, said } = await start('high-performance.mjs', { WEB: servers.join() });
  expect(said()).toMatch(/with [1-9]\d* threads/);
  const pages = await Promise.all(Array.from({ length: 16 }, () => page(port)));
  expect(new Set(pages)).toEqual(new Set(['one', 'two']));
  const { stdout } = await runProgram('redis-cli', ['-p', `${port}`, 'ping']);
  expect(stdout).toBe('PONG\n');
});

test('config file: a change is in force, a mistake is refused, and sessions go on', async () => {
  const folder = tempFolder();
  const file = join(folder.path, 'config.json');
  cpSync('examples/config.json', file);
  const replace = (change: (config: { protocols: object[] }) => object) => {
    const next = change(JSON.parse(readFileSync(file, 'utf8')));
    writeFileSync(`${file}.new`, JSON.stringify(next));
    renameSync(`${file}.new`, file);
  };
  const { port, said } = await start('config-file.mjs', {}, file);
  expect(await page(port)).toContain('You spoke http');

  const target = await serverThatSays('SSH-2.0-other\r\n');
  replace(({ protocols, ...rest }) => ({ ...rest, protocols: [protocols[0], { name: 'ssh', target }] }));
  await eventually('the change', () => said().includes(`added: endpoint ${target}`));
  expect(await answer(port, SSH, 15)).toBe('SSH-2.0-other\r\n');

  replace((config) => ({ ...config, protocols: [{ name: 'shh', target }] }));
  await eventually('the refusal', () => said().includes('refused: protocols[0].name'));
  expect(await answer(port, SSH, 15)).toBe('SSH-2.0-other\r\n');
  folder.remove();
});

test('metrics: figures, text and a line for each session', async () => {
  const { port, said } = await start('metrics.mjs', { METRICS_PORT: '0' });
  const metricsPort = Number(/metrics on 127\.0\.0\.1:(\d+)/.exec(said())?.[1]);
  expect(await page(port)).toContain('You spoke http');
  await eventually('the line', () => /http: \d+\/\d+ bytes, [\d.]+ ms, done/.test(said()));
  const status = JSON.parse(await page(metricsPort, '/status'));
  expect(status).toMatchObject({ acceptedConnections: 1, protocols: { http: { ended: 1 } } });
  expect(await page(metricsPort, '/metrics')).toContain('anyport_sessions_total{');
});

test('reliable UDP: what the client is given comes back, and both say how it went', async () => {
  const { port, said } = await start('kcp-server.mjs');
  tried.add('kcp-client.mjs');
  const env = { ...process.env, PORT: String(port) };
  const client = spawn(process.execPath, ['examples/kcp-client.mjs'], { env });
  const [back, told] = [collect(client.stdout), collect(client.stderr)];
  client.stdin.end('hello');
  expect(await within('the client to end', once(client, 'close'))).toEqual([0, null]);
  expect(back()).toBe('hello');
  expect(told()).toMatch(/^done: round trip [\d.]+ ms, \d+ sent again, \d+ recovered\n$/);
  await eventually('the server to say so', () => /[0-9a-f]{32} closed: done/.test(said()));
});

test('each is tried, and listed', () => {
  const programs = readdirSync('examples').filter((name) => name.endsWith('.mjs'));
  expect([...tried].sort()).toEqual(programs.sort());
  const list = readFileSync('examples/README.md', 'utf8');
  for (const name of programs) expect(list).toContain(`(${name})`);
});

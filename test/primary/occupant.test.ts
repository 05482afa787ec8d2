/** Who listens on an address already: named in the refusal of whoever comes second. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import type { ListenAddress } from '../../src/model/config.js';
import { occupantOf } from '../../src/primary/occupant.js';
import { freePort } from '../support/ports.js';
import { type Running, startProgram } from '../support/process.js';
import { tempFolder } from '../support/temp.js';

const inet = (host: string, port: number): ListenAddress => ({
  kind: 'inet',
  host,
  port,
  text: `${host}:${port}`,
});
const unix = (path: string): ListenAddress => ({ kind: 'unix', path, text: `unix:${path}`, mode: 0 });

let server: Server | undefined;
let program: Running | undefined;

afterEach(async () => {
  server?.close();
  await program?.stop();
  server = undefined;
  program = undefined;
});

test('another process, by name and number', async () => {
  const port = await freePort();
  const listens = `require('net').createServer().listen(${port}, '127.0.0.1')`;
  program = await startProgram(process.execPath, ['-e', listens], port);
  const named = `node (pid ${program.pid})`;
  expect(occupantOf(inet('127.0.0.1', port))).toBe(named);
  expect(occupantOf(inet('0.0.0.0', port))).toBe(named);
  expect(occupantOf(inet('::', port))).toBe(named);
  expect(occupantOf(inet('127.0.0.2', port))).toBeNull();
});

test('this process, on an IPv6 address', async () => {
  server = createServer().listen(0, '::1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  expect(occupantOf(inet('::1', port))).toBe('this process');
  expect(occupantOf(inet('127.0.0.1', port))).toBeNull();
});

test('a socket file, whose path may have spaces', async () => {
  const folder = tempFolder();
  const path = `${folder.path}/a b.sock`;
  server = createServer().listen(path);
  await once(server, 'listening');
  expect(occupantOf(unix(path))).toBe('this process');
  expect(occupantOf(unix(`${folder.path}/b.sock`))).toBeNull();
  folder.remove();
});

test('nobody', async () => expect(occupantOf(inet('127.0.0.1', await freePort()))).toBeNull());

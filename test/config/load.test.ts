/** Where a configuration comes from: a file, flags, or the embedded default. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Flags } from '../../src/config/flags.js';
import { loadConfig } from '../../src/config/load.js';

const folder = mkdtempSync(join(tmpdir(), 'anyport-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

const load = (file: string | null, flags: Flags = {}) =>
  loadConfig({ file, flags, environment: { PORT: '81' } });

test('nothing at all: the demonstration', () => {
  const loaded = load(null);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  const { listeners, protocols, upstreams } = loaded.config;
  expect(loaded.warnings).toEqual([]);
  expect(listeners.map(({ address, onUnknown }) => [address.text, onUnknown])).toEqual([
    ['127.0.0.1:9090', { kind: 'upstream', upstream: 'echo' }],
  ]);
  expect(protocols.map(({ id }) => id).sort()).toEqual(['http', 'redis']);
  expect(upstreams.map(({ handler }) => handler).sort()).toEqual([
    'builtin:echo',
    'builtin:http',
    'builtin:redis',
  ]);
});

test('flags lie over the demonstration too', () =>
  expect(load(null, { workers: '2' })).toMatchObject({ ok: true, config: { server: { workers: 2 } } }));

test('--listen alone moves the demonstration', () => {
  const loaded = load(null, { listen: ['127.0.0.1:9443', 'unix:/run/a.sock'] });
  expect(loaded).toMatchObject({
    ok: true,
    demo: { moves: false },
    config: {
      listeners: [
        { name: 'demo', address: { text: '127.0.0.1:9443' }, onUnknown: { upstream: 'echo' } },
        { name: 'demo-2', address: { text: 'unix:/run/a.sock' } },
      ],
    },
  });
  expect(load(null)).toMatchObject({ demo: { moves: true } });
  expect(load(null, { listen: ['x'] })).toMatchObject({ ok: false, problems: [{ path: '--listen [0]' }] });
});

test('--route: no demonstration', () => {
  const flags = { listen: ['127.0.0.1:9443'], route: [{ name: 'ssh', target: '127.0.0.1:22' }] };
  expect(load(null, flags)).toMatchObject({
    ok: true,
    config: {
      listeners: [{ name: '127.0.0.1:9443' }],
      protocols: [{ name: 'ssh' }],
      upstreams: [{ name: 'ssh' }],
    },
  });
  expect(load(null, { route: flags.route })).toMatchObject({ config: { listeners: [{ name: ':9090' }] } });
});

test('a file, with its environment, and module paths relative to it', () => {
  const file = join(folder, 'a.yaml');
  const port = '$' + '{PORT}';
  writeFileSync(join(folder, 'h.mjs'), 'export default (socket) => socket.end();\n');
  writeFileSync(file, `server: { listen: ":${port}" }\nprotocols: [{ name: SSH, handler: ./h.mjs }]\n`);
  expect(load(file)).toMatchObject({
    ok: true,
    name: file,
    config: { listeners: [{ name: ':81' }], upstreams: [{ handler: `file://${folder}/h.mjs` }] },
  });
});

test('a file that is not there', () => {
  const file = join(folder, 'none.yaml');
  expect(load(file)).toEqual({
    ok: false,
    files: [file],
    problems: [{ file, line: null, column: null, path: '', message: 'can not read it: no such file' }],
  });
});

test('a private key is read and watched with the file that names it', () => {
  const file = join(folder, 'kcp.yaml');
  const key = join(folder, 'server.key');
  const text = `protocols: [{ name: SSH, target: "127.0.0.1:22" }]
kcp: { link: { secret: correct-horse-battery, private_key_file: server.key } }
listeners: [{ name: far, address: ":4000", transport: kcp, kcp: link }]`;
  writeFileSync(file, text);
  expect(load(file)).toMatchObject({ ok: false, files: [file, key] });
  const privateKeyOf = (fill: number) => {
    writeFileSync(key, Buffer.alloc(32, fill).toString('base64'), { mode: 0o600 });
    const loaded = load(file);
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
    expect(loaded).toMatchObject({ files: [file, key], warnings: [] });
    return loaded.config.kcp[0]?.security;
  };
  expect(privateKeyOf(1)).toMatchObject({ privateKey: '01'.repeat(32) });
  expect(privateKeyOf(2)).toMatchObject({ privateKey: '02'.repeat(32) });
});

/** A file of users of the proxy: read again when it changes; what is wrong leaves those who were there. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hashText } from '../../../src/forward-proxy/users/phc.js';
import { type Daemon, startDaemon } from '../../support/daemon.js';
import { tempFolder } from '../../support/temp.js';

let folder: ReturnType<typeof tempFolder>;
let file: string;
let daemon: Daemon;

beforeEach(() => {
  folder = tempFolder();
  file = join(folder.path, 'users');
});

afterEach(async () => {
  await daemon.stop();
  folder.remove();
});

const hashWith = (byte: number): string =>
  hashText({ ln: 15, r: 8, p: 1, salt: Buffer.alloc(16, byte), hash: Buffer.alloc(32, byte) });

test('changed, broken, mended: each is said once, without a hash', async () => {
  writeFileSync(file, `alice:${hashWith(1)}\n`);
  daemon = await startDaemon({
    server: { reload_on_change: true },
    connect_proxy: { users_file: file, user_limits: { max_connections: 5 } },
  });

  writeFileSync(file, `alice:${hashWith(2)}\nbob:${hashWith(3)}\n`);
  expect(await daemon.outcome(0)).toMatchObject({
    msg: 'reloaded',
    cause: 'file',
    users: { added: 1, changed: 1 },
  });

  const before = daemon.lines.length;
  writeFileSync(file, `alice:${hashWith(2)}\nbob hunter2\n`);
  expect(await daemon.outcome(before)).toMatchObject({ level: 'error', cause: 'file', problems: 1 });
  expect(daemon.lines.at(-1)?.msg).toMatch(/connect_proxy\.users_file: .*\/users:2: expected `NAME:HASH`$/);
  expect(await daemon.metric('anyport_config_generation')).toBe(2);

  const mending = daemon.lines.length;
  writeFileSync(file, `bob:${hashWith(3)}\n`);
  expect(await daemon.outcome(mending)).toMatchObject({ msg: 'reloaded', users: { removed: 1 } });
  expect(JSON.stringify(daemon.lines)).not.toMatch(/scrypt|hunter2/);
});

test('upstreams of the proxy are no endpoints that could be up or down', async () => {
  writeFileSync(file, `alice:${hashWith(1)}\n`);
  daemon = await startDaemon({ connect_proxy: { users_file: file, user_limits: { max_connections: 5 } } });
  const response = await fetch(`http://127.0.0.1:${daemon.metricsPort}/metrics`);
  const text = await response.text();
  expect(text).toContain('# HELP anyport_endpoint_up');
  expect(text).not.toMatch(/^anyport_endpoint_up\{/m);
  expect(text).not.toContain('alice');
});

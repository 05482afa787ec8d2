/** `anyport check --diff`: what a configuration would change, against a file and against the running daemon. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ControlSite, startControlled } from '../support/control.js';
import { anyport, type Daemon, startDaemon } from '../support/daemon.js';
import { redisPing } from '../support/flights.js';
import { freePort } from '../support/ports.js';
import { dial, echo, listenTcp, type Upstream } from '../support/tcp.js';
import { type TempFolder, tempFolder } from '../support/temp.js';

let daemon: Daemon;
let site: ControlSite;
let upstream: Upstream;
let folder: TempFolder;

beforeAll(async () => {
  folder = tempFolder();
  upstream = await listenTcp(echo);
  ({ daemon, site } = await startControlled({
    protocols: [{ name: 'Redis', target: 'cache' }],
    upstreams: { cache: { endpoints: [upstream.target] } },
  }));
  for (const _ of [1, 2, 3]) {
    const client = (await dial(daemon.port)).send(redisPing);
    await client.bytes(redisPing.length);
  }
});

afterAll(async () => {
  await daemon.stop();
  await upstream.close();
  folder.remove();
});

const running = () => `${daemon.folder.path}/anyport.yaml`;

/** The running configuration, edited. */
async function edited(edit: (document: Record<string, unknown>) => object): Promise<string> {
  const { body: document } = await site.get('/api/v1/config');
  const file = `${folder.path}/new.yaml`;
  writeFileSync(file, JSON.stringify({ ...document, ...edit(document) }));
  return file;
}

const withWeight = (document: Record<string, unknown>) => ({
  server: { ...(document.server as object), dial_timeout: '3s' },
  upstreams: { cache: { endpoints: [{ address: upstream.target, weight: 5 }] } },
});

describe('against the running daemon', () => {
  test('says what differs, and how many live sessions that touches', async () => {
    const { status, stdout, stderr } = await anyport(['check', '-c', await edited(withWeight), '--diff']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const [, ...lines] = stdout.slice(stdout.indexOf('compared with')).split('\n');
    expect(lines.map((line) => line.replaceAll(/ {2,}/g, '  '))).toEqual([
      '~  setting  server.dial_timeout  5s → 3s',
      `~  endpoint  cache ${upstream.target}  weight 5  3 live sessions`,
      '  weight: 1 → 5',
      '2 changed',
      '',
    ]);
  });

  test('as JSON', async () => {
    const { stdout } = await anyport(['check', await edited(withWeight), '--diff', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      valid: true,
      items: [
        { kind: 'setting', name: 'server.dial_timeout', sessions: null },
        { kind: 'endpoint', upstream: 'cache', fields: [{ key: 'weight', from: 1, to: 5 }], sessions: 3 },
      ],
    });
  });

  test('the file it runs: no difference', async () => {
    const { status, stdout } = await anyport(['check', '-c', running(), '--diff']);
    expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringContaining('\nno difference\n') });
  });

  test('modules are named relative to the checked file, wherever the daemon runs', async () => {
    mkdirSync(`${folder.path}/sub`, { recursive: true });
    writeFileSync(`${folder.path}/h.mjs`, 'export default (socket) => socket.end()');
    const file = await edited(() => ({ upstreams: { cache: { handler: './h.mjs' } } }));
    const { status, stdout } = await anyport(['check', file, '--diff', '--json'], `${folder.path}/sub`);
    expect(status).toBe(0);
    expect(JSON.parse(stdout).items).toContainEqual(
      expect.objectContaining({
        kind: 'upstream',
        name: 'cache',
        fields: [{ key: 'handler', from: null, to: expect.stringContaining(`file://${folder.path}/h.mjs`) }],
      }),
    );
  });

  test('what it would refuse: exit 2', async () => {
    const file = await edited(({ server }) => ({ server: { ...(server as object), buffer_size: '64KiB' } }));
    const { status, stderr } = await anyport(['check', '-c', file, '--diff']);
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: expect.stringMatching(/^server\.buffer_size: can not change while running/),
    });
  });

  test('the flags that the daemon was started with win over the checked file, as they do at a reload', async () => {
    const [port, adminPort] = [await freePort(), await freePort()];
    const flags = {
      listen: `127.0.0.1:${port}`,
      route: 'ssh=127.0.0.1:22',
      workers: '2',
      accept: 'handoff',
      'max-connections': '77',
      'log-level': 'debug',
      'log-format': 'json',
      admin: `127.0.0.1:${adminPort}`,
    };
    const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]);
    const flagged = await startDaemon({ protocols: [{ name: 'Redis', target: 'a:1' }] }, { flags: args });
    const ask = (file: string) => anyport(['check', '-c', file, '--diff', '--admin', flags.admin]);
    const same = await ask(flagged.file);
    const other = `${folder.path}/other.yaml`;
    writeFileSync(other, 'server: { dial_timeout: 3s }\nprotocols: [{ name: Redis, target: "a:1" }]\n');
    const { stdout } = await ask(other);
    await flagged.stop();
    expect(same).toMatchObject({ status: 0, stdout: expect.stringContaining('\nno difference\n') });
    expect(stdout).toMatch(/server\.dial_timeout .*→ 3s\n/);
    // Of what the flags say nothing differs.
    expect(stdout).not.toMatch(
      /\.(workers|accept|max_connections|level|format)|admin\.|~ {2}listener|[-+] {2}|SSH/,
    );
  });

  test('nobody there: exit 1, with the address', async () => {
    const { status, stderr } = await anyport(['check', running(), '--diff', '--admin', '127.0.0.1:1']);
    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining('127.0.0.1:1') });
  });
});

describe('against a file', () => {
  test('also what a running daemon would refuse', async () => {
    const file = await edited(({ server }) => ({ server: { ...(server as object), buffer_size: '64KiB' } }));
    const { status, stdout } = await anyport(['check', '-c', file, '--diff', running()]);
    expect(status).toBe(0);
    expect(stdout).toContain('~  setting  server.buffer_size  32KiB → 64KiB\n1 changed\n');
    expect(stdout).toMatch(/\nserver\.buffer_size: can not change while running/);
  });

  test('that can not be read, or is wrong: exit 2', async () => {
    const wrong = `${folder.path}/wrong.yaml`;
    writeFileSync(wrong, 'server: { wrokers: 2 }');
    expect(await anyport(['check', '-c', running(), '--diff', `${folder.path}/none.yaml`])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('none.yaml: can not read it: no such file'),
    });
    expect(await anyport(['check', '-c', wrong, '--diff', running()])).toMatchObject({ status: 2 });
    const json = await anyport(['check', '-c', wrong, '--diff', running(), '--json']);
    expect(json.status).toBe(2);
    expect(JSON.parse(json.stdout)).toMatchObject({
      valid: false,
      problems: [{ path: 'server.wrokers', line: 1 }],
    });
  });
});

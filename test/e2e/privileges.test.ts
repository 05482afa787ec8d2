/** `server.user`: what root starts serves as another user, with no rights but those that it needs. */
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { launchDaemon } from '../support/daemon.js';
import { redisPing } from '../support/flights.js';
import { freePort } from '../support/ports.js';
import { runProgram } from '../support/process.js';
import {
  CAP_NET_ADMIN,
  CAP_NET_BIND_SERVICE,
  CAP_NET_RAW,
  expectDropped,
  GID,
  lowPort,
  UID,
} from '../support/rights.js';
import { answers, redis, somebody, useDaemons } from '../support/root.js';
import { dial, echo, listenTcp } from '../support/tcp.js';
import { describeAsRoot } from '../support/tools.js';
import { isAlive, startGenerations } from '../support/upgrade.js';
import { eventually } from '../support/wait.js';

const stage = useDaemons();
const { start } = stage;

const ownerOf = (path: string) => {
  const { uid, gid, mode } = statSync(path);
  return { uid, gid, mode: mode & 0o777 };
};

describeAsRoot('started as root with server.user', () => {
  test('every thread is that user, without capabilities, and workers that are replaced are, too', async () => {
    const daemon = await start({
      server: { ...somebody, workers: 2 },
      protocols: [
        ...redis,
        { name: 'Exits', handler: resolve('test/e2e/handlers/exit.mjs'), start_bytes: ['ee'] },
      ],
    });
    expectDropped(daemon.pid);
    await answers(daemon.port);
    const client = await dial(daemon.port);
    client.send(Buffer.from([0xee]));
    await client.end();
    await daemon.metricBecomes('anyport_worker_restarts_total', 1);
    await answers(daemon.port);
    expectDropped(daemon.pid);
  });

  test('a named user brings its groups', async () => {
    writeFileSync(`${stage.path}/passwd`, `root:x:0:0::/:/bin/sh\nporter:x:${UID}:${GID}::/:/bin/false\n`);
    writeFileSync(
      `${stage.path}/group`,
      `root:x:0:\nporter:x:${GID}:\nkeys:x:43215:porter\nother:x:43219:\n`,
    );
    const mount = (name: string) => `mount --bind ${stage.path}/${name} /etc/${name}`;
    const wrapper = [
      'unshare',
      '-m',
      'sh',
      '-c',
      `${mount('passwd')} && ${mount('group')} && exec "$@"`,
      'sh',
    ];
    const byName = await start({ server: { user: 'porter' }, protocols: redis }, { wrapper });
    expectDropped(byName.pid, 0n, [UID, GID], `${GID} 43215`);
    const byGroup = await start(
      { server: { user: 'porter', group: 'other' }, protocols: redis },
      { wrapper },
    );
    expectDropped(byGroup.pid, 0n, [UID, 43219], '43215 43219');
  });

  test('a port below 1024 leaves the capability to bind, and a reload binds another one', async () => {
    const first = await lowPort();
    const daemon = await start({ server: { ...somebody, listen: `127.0.0.1:${first}` }, protocols: redis });
    expectDropped(daemon.pid, CAP_NET_BIND_SERVICE);
    await answers(first);
    const other = await lowPort();
    const line = await daemon.reload({
      server: { ...somebody, listen: [`127.0.0.1:${first}`, `127.0.0.1:${other}`] },
      protocols: redis,
    });
    expect(line.msg).toMatch(/^reloaded/);
    await answers(other);
    expectDropped(daemon.pid, CAP_NET_BIND_SERVICE);
  });

  test('a reload to a low port, another user or none is refused in clear words where it can not be', async () => {
    const daemon = await start({ server: somebody, protocols: redis });
    const refused = async (server: object) => {
      const from = daemon.lines.length;
      const line = await daemon.reload({ server: { ...server }, protocols: redis });
      expect(line.msg).toMatch(/^reload refused/);
      return JSON.stringify(daemon.lines.slice(from));
    };
    const low = await lowPort();
    expect(await refused({ ...somebody, listen: `127.0.0.1:${low}` })).toMatch(
      /CAP_NET_BIND_SERVICE, given up at the start.*restart/,
    );
    expect(await refused({ user: UID + 1, group: GID })).toMatch(
      /it is 43210:43211, wanted is 43211:43211; restart anyport/,
    );
    expect(await refused({})).toMatch(/it is 43210:43211, wanted is nobody; restart anyport/);
    await answers(daemon.port);
    const port = await freePort();
    const line = await daemon.reload({
      server: { ...somebody, listen: `127.0.0.1:${port}` },
      protocols: redis,
    });
    expect(line.msg).toMatch(/^reloaded/);
    await answers(port);
  });

  test("socket files are that user's with their mode, in a folder of root, too; in its own it removes them", async () => {
    const own = `${stage.path}/own`;
    mkdirSync(own);
    chownSync(own, UID, GID);
    const paths = { own: `${own}/a.sock`, roots: `${stage.path}/b.sock`, admin: `${own}/admin.sock` };
    const config = {
      server: somebody,
      listeners: [
        { name: 'own', address: `unix:${paths.own}`, mode: '0600' },
        { name: 'roots', address: `unix:${paths.roots}` },
      ],
      admin: { listen: `unix:${paths.admin}` },
      protocols: redis,
    };
    const daemon = await start(config);
    expectDropped(daemon.pid);
    expect(ownerOf(paths.own)).toEqual({ uid: UID, gid: GID, mode: 0o600 });
    expect(ownerOf(paths.roots)).toEqual({ uid: UID, gid: GID, mode: 0o660 });
    expect(ownerOf(paths.admin)).toEqual({ uid: UID, gid: GID, mode: 0o600 });
    const [first] = config.listeners;
    const changed = {
      ...config,
      listeners: [
        { ...first, mode: '0666' },
        { name: 'new', address: `unix:${own}/c.sock` },
      ],
    };
    expect((await daemon.reload(changed)).msg).toMatch(/^reloaded/);
    expect(ownerOf(paths.own).mode).toBe(0o666);
    expect(ownerOf(`${own}/c.sock`)).toEqual({ uid: UID, gid: GID, mode: 0o660 });
    daemon.signal('SIGTERM');
    expect(await daemon.exit()).toBe(0);
    expect(readdirSync(own)).toEqual([]);
    // Nobody listens there: the next start removes it.
    expect(existsSync(paths.roots)).toBe(true);
    const again = await start({ server: { ...somebody, listen: `unix:${paths.roots}` }, protocols: redis });
    expect(again.lines.at(-1)?.msg).toBe('ready');
  });

  test('a new socket file in a folder of root is refused by a reload, with the folder', async () => {
    const daemon = await start({ server: somebody, protocols: redis });
    const from = daemon.lines.length;
    await daemon.reload({
      server: { ...somebody, listen: `unix:${stage.path}/late.sock` },
      protocols: redis,
    });
    expect(JSON.stringify(daemon.lines.slice(from))).toContain(
      `${stage.path} is to be a folder that user ${UID} may write to`,
    );
  });

  test('an upgrade in place goes on as that user, and binds low ports still', async () => {
    const port = await lowPort();
    const config = { server: { ...somebody, listen: `127.0.0.1:${port}` }, protocols: redis };
    const generations = await startGenerations(config);
    chmodSync(generations.daemon.folder.path, 0o755);
    chmodSync(generations.folder.path, 0o755);
    for (let each = 0; each < 2; each += 1) {
      await generations.upgrade();
      await eventually('the old process to end', () => generations.living.length === 1);
      expectDropped(generations.pid, CAP_NET_BIND_SERVICE);
      await answers(port);
    }
    const other = await lowPort();
    generations.daemon.configure({
      ...config,
      server: { ...somebody, listen: [`127.0.0.1:${port}`, `127.0.0.1:${other}`] },
    });
    generations.signal('SIGHUP');
    await generations.line(/^reloaded/);
    await answers(other);
    // A configuration of another user needs another start.
    generations.daemon.configure({ ...config, server: { ...config.server, user: UID + 1 } });
    const failed = await generations.refused();
    expect(failed.stderr).toMatch(/server\.user: this process runs as user 43210 and can not become 43211/);
    expect(isAlive(generations.pid)).toBe(true);
    await generations.stop();
  });

  test('programs that health checks run have no capabilities', async () => {
    const port = await lowPort();
    const script = `${stage.path}/check`;
    writeFileSync(
      script,
      `#!/bin/sh\ngrep -E "^(Uid|Cap|NoNewPrivs)" /proc/self/status > ${stage.path}/out/seen\n`,
    );
    chmodSync(script, 0o755);
    mkdirSync(`${stage.path}/out`);
    chmodSync(`${stage.path}/out`, 0o777);
    const upstream = await listenTcp(echo);
    const daemon = await start({
      server: { ...somebody, listen: `127.0.0.1:${port}` },
      upstreams: {
        web: {
          endpoints: [upstream.target],
          health_check: { type: 'exec', command: script, interval: '1s' },
        },
      },
      protocols: [{ name: 'Redis', target: 'web' }],
    });
    await eventually('the check', () => existsSync(`${stage.path}/out/seen`));
    const seen = await eventually('its words', () => {
      const text = readFileSync(`${stage.path}/out/seen`, 'utf8');
      return text.includes('NoNewPrivs') && text;
    });
    expect(seen).toMatch(new RegExp(`Uid:\\s+${UID}`));
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapAmb'])
      expect(seen).toMatch(new RegExp(`${set}:\\s+0{16}\n`));
    expectDropped(daemon.pid, CAP_NET_BIND_SERVICE);
    await upstream.close();
  });

  test('what sessions need at run time stays: an address of the client as source', async () => {
    const upstream = await listenTcp(echo);
    const daemon = await start({
      server: somebody,
      upstreams: { web: { endpoints: [upstream.target], source: { transparent: true } } },
      protocols: [{ name: 'Redis', target: 'web' }],
    });
    expectDropped(daemon.pid, CAP_NET_RAW);
    const client = await dial(daemon.port);
    client.send(redisPing);
    expect(`${await client.bytes(redisPing.length)}`).toBe(`${redisPing}`);
    client.reset();
    // A reload and an upgrade ask for it, too.
    const line = await daemon.reload({
      server: somebody,
      upstreams: { web: { endpoints: [upstream.target], source: { transparent: true }, retries: 1 } },
      protocols: [{ name: 'Redis', target: 'web' }],
    });
    expect(line.msg).toMatch(/^reloaded/);
    await upstream.close();
  });

  test('what sessions need at run time stays: a connection that is forgotten, without a reset', async () => {
    const port = await freePort();
    const listeners = [{ name: 'front', address: `127.0.0.1:${port}`, on_unknown: 'drop' }];
    const daemon = await start({ server: somebody, listeners, protocols: redis });
    expectDropped(daemon.pid, CAP_NET_ADMIN);
    const client = await dial(port);
    client.send(Buffer.alloc(2048, 0xff));
    expect(await daemon.sessionOf(client)).toMatchObject({ by: 'proxy', reason: 'unknown_protocol' });
    await answers(port);
    expect(client.ending).toBeUndefined();
    client.reset();
  });

  test('modules are loaded as that user: one that root alone may read is refused', async () => {
    const readable = `${stage.path}/who.mjs`;
    writeFileSync(
      readable,
      `import { writeFileSync } from 'node:fs';
writeFileSync('${stage.path}/out', [process.getuid(), process.geteuid(), process.getgid()].join(' '));
export default (socket) => socket.end('who');\n`,
    );
    writeFileSync(`${stage.path}/out`, '');
    chmodSync(`${stage.path}/out`, 0o666);
    const protocols = [{ name: 'Who', handler: readable, start_bytes: ['77'] }];
    const daemon = await start({ server: somebody, protocols });
    expect(readFileSync(`${stage.path}/out`, 'utf8')).toBe(`${UID} ${UID} ${GID}`);
    chmodSync(readable, 0o600);
    const refused = await launchDaemon({ server: somebody, protocols });
    expect(await refused.exit()).toBe(1);
    expect(refused.lines.at(-1)?.msg).toMatch(/handler .*who\.mjs: .*EACCES/);
    refused.folder.remove();
    await answersWho(daemon.port);
  });

  test('a configuration that it may not read is said at the start', async () => {
    const daemon = await start({ server: somebody, protocols: redis });
    const warned = daemon.lines.filter(({ msg }) => msg.includes('may not read it'));
    expect(warned).toMatchObject([{ level: 'warn', file: daemon.file }]);
  });

  test('started as that user there is nothing to give up', async () => {
    const wrapper = ['setpriv', '--reuid', `${UID}`, '--regid', `${GID}`, '--clear-groups'];
    chmodSync(stage.path, 0o755);
    const file = `${stage.path}/anyport.yaml`;
    const port = await freePort();
    const write = (server: object) =>
      writeFileSync(
        file,
        JSON.stringify({ server: { listen: `127.0.0.1:${port}`, ...server }, protocols: redis }),
      );
    write({ user: UID + 1, group: GID });
    const command = [...wrapper, process.execPath, resolve('dist/cli/main.js'), 'run', '-c', file];
    const refused = await runProgram(command[0] as string, command.slice(1));
    expect(refused).toMatchObject({ status: 2, stdout: '' });
    expect(refused.stderr).toMatch(
      /server\.user: this process runs as user 43210 and can not become 43211:43211: start it as root/,
    );
  });
});

async function answersWho(port: number): Promise<void> {
  const client = await dial(port);
  client.send(Buffer.from([0x77]));
  expect(`${await client.bytes(3)}`).toBe('who');
  client.reset();
}

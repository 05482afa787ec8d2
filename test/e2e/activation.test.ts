/** Sockets that systemd has opened: LISTEN_FDS, by name and by address. */
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { send } from '../support/control.js';
import { type Daemon, launchDaemon, startDaemon, type TestConfig } from '../support/daemon.js';
import { redisPing } from '../support/flights.js';
import { freePort } from '../support/ports.js';
import { activated } from '../support/service-manager.js';
import { dial, echo, listenTcp, Peer, type Upstream } from '../support/tcp.js';
import { type TempFolder, tempFolder } from '../support/temp.js';
import { describeWith } from '../support/tools.js';
import { startGenerations } from '../support/upgrade.js';
import { eventually } from '../support/wait.js';

let folder: TempFolder;
let upstream: Upstream;
const daemons: Daemon[] = [];

async function start(
  config: TestConfig,
  sockets: readonly (readonly [string, string])[],
  environment: NodeJS.ProcessEnv = {},
): Promise<Daemon> {
  const protocols = [{ name: 'Redis', target: upstream.target }];
  const daemon = await startDaemon({ protocols, ...config }, { wrapper: activated(sockets), environment });
  daemons.push(daemon);
  return daemon;
}

async function answers(socket: { port: number } | { path: string }): Promise<void> {
  const client = new Peer(connect({ ...socket, allowHalfOpen: true }));
  client.send(redisPing);
  await client.bytes(redisPing.length);
  client.finish();
  expect(await client.end()).toBe('fin');
}

function addressOf({ lines }: Daemon): string[] {
  const listeners = lines.findLast(({ msg }) => msg === 'ready')?.listeners ?? [];
  return (listeners as { name: string; address: string }[]).map(({ name, address }) => `${name} ${address}`);
}

const unused = ({ lines }: Daemon) => lines.filter(({ msg }) => msg.includes('inherited socket is not'));

describeWith('python3')('sockets of the service manager', () => {
  beforeEach(async () => {
    folder = tempFolder();
    upstream = await listenTcp(echo);
  });

  afterEach(async () => {
    for (const daemon of daemons.splice(0)) await daemon.stop();
    await upstream.close();
    folder.remove();
  });

  test('go to the listener of their name, whatever its address', async () => {
    const port = await freePort();
    const listeners = [{ name: 'front', address: `127.0.0.1:${await freePort()}` }];
    const daemon = await start({ listeners }, [['front', `127.0.0.1:${port}`]]);
    expect(addressOf(daemon)).toEqual([`front 127.0.0.1:${port}`]);
    expect(unused(daemon)).toEqual([]);
    await answers({ port });
  });

  test('go to the listener with their address, whatever their name', async () => {
    const [one, other] = [await freePort(), await freePort()];
    const listeners = [
      { name: 'a', address: `127.0.0.1:${one}` },
      { name: 'b', address: `127.0.0.1:${other}` },
    ];
    // All workers share a socket: the service manager opens one without SO_REUSEPORT.
    const daemon = await start({ listeners, server: { workers: 2 } }, [
      ['anyport.socket', `127.0.0.1:${other}`],
      ['anyport.socket', `127.0.0.1:${one}`],
    ]);
    expect(addressOf(daemon)).toEqual([`a 127.0.0.1:${one}`, `b 127.0.0.1:${other}`]);
    for (let each = 0; each < 10; each += 1) {
      await answers({ port: one });
      await answers({ port: other });
    }
    await daemon.metricBecomes('anyport_accepted_total', 10, { listener: 'a' });
  });

  test('may be Unix sockets, whose file the daemon leaves alone', async () => {
    const path = `${folder.path}/front.sock`;
    const daemon = await start({ server: { listen: `unix:${path}` } }, [['', path]]);
    await answers({ path });
    daemon.signal('SIGTERM');
    await daemon.exit();
    expect(existsSync(path)).toBe(true);
  });

  test('that nothing wants are closed, and the log names them', async () => {
    const port = await freePort();
    const daemon = await start({}, [['spare', `127.0.0.1:${port}`]]);
    expect(unused(daemon)).toMatchObject([{ level: 'warn', name: 'spare', address: `127.0.0.1:${port}` }]);
    await answers({ port: daemon.port });
    await expect(dial(port)).rejects.toThrow(/ECONNREFUSED/);
  });

  test('serve monitoring and the control interface by name', async () => {
    const [monitoring, admin] = [await freePort(), await freePort()];
    await start(
      {
        monitoring: { metrics_port: await freePort(), health_check_port: await freePort() },
        admin: { listen: `unix:${folder.path}/not-this.sock` },
      },
      [
        ['metrics', `127.0.0.1:${monitoring}`],
        ['admin', `127.0.0.1:${admin}`],
      ],
    );
    const metrics = await fetch(`http://127.0.0.1:${monitoring}/metrics`);
    expect(await metrics.text()).toContain('anyport_accepted_total');
    expect((await fetch(`http://127.0.0.1:${admin}/api/v1/status`)).status).toBe(200);
    expect(existsSync(`${folder.path}/not-this.sock`)).toBe(false);
  });

  test('open the control interface to no one else: their real address counts', async () => {
    const port = await freePort();
    const sockets = [['admin', `0.0.0.0:${port}`]] as const;
    const without = { admin: { listen: '127.0.0.1:1' } };
    const refused = await launchDaemon(without, { wrapper: activated(sockets) });
    expect(await refused.exit()).toBe(1);
    expect(refused.lines.at(-1)).toMatchObject({
      msg: expect.stringMatching(/0\.0\.0\.0:\d+, is open to other machines/),
    });
    refused.folder.remove();
    const daemon = await start({ admin: { listen: '127.0.0.1:1', token: 'long-enough-as-it-is' } }, sockets);
    expect((await fetch(`http://127.0.0.1:${port}/api/v1/status`)).status).toBe(401);
    const protocols = [{ name: 'Redis', target: upstream.target }];
    daemon.configure({ protocols, ...without });
    daemon.signal('SIGHUP');
    await eventually('the refusal', () => daemon.lines.some(({ level }) => level === 'error'));
    expect((await fetch(`http://127.0.0.1:${port}/api/v1/status`)).status).toBe(401);
  });

  test('whose name is for a unix socket get the checks of a port', async () => {
    const port = await freePort();
    const admin = { listen: `unix:${folder.path}/not-this.sock` };
    await start({ admin }, [['admin', `127.0.0.1:${port}`]]);
    const { status } = await send({ host: '127.0.0.1', port }, 'GET', '/', {
      headers: { host: 'evil.example' },
    });
    expect(status).toBe(403);
  });

  test('for another process are not taken', async () => {
    const port = await freePort();
    const daemon = await start({}, [['spare', `127.0.0.1:${port}`]], {});
    expect(unused(daemon)).toHaveLength(1);
    const other = await startDaemon(
      { protocols: [{ name: 'Redis', target: upstream.target }] },
      { environment: { LISTEN_PID: '1', LISTEN_FDS: '1', LISTEN_FDNAMES: 'front' } },
    );
    daemons.push(other);
    expect(unused(other)).toEqual([]);
  });

  test('are kept in an upgrade, and by a reload', async () => {
    const port = await freePort();
    const listeners = [{ name: 'front', address: '127.0.0.1:1' }];
    const config = { listeners, protocols: [{ name: 'Redis', target: upstream.target }] };
    const generations = await startGenerations(config, {}, activated([['front', `127.0.0.1:${port}`]]));
    await answers({ port });
    for (let each = 0; each < 2; each += 1) {
      await generations.upgrade();
      await eventually('the old process to end', () => generations.living.length === 1);
      await answers({ port });
    }
    generations.daemon.configure({ ...config, server: { workers: 3 } });
    generations.signal('SIGHUP');
    await generations.line(/^reloaded/);
    for (let each = 0; each < 6; each += 1) await answers({ port });
    await generations.stop();
  });
});

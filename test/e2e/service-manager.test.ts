/** The daemon under systemd: what it tells on NOTIFY_SOCKET, and when. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { redisPing } from '../support/flights.js';
import { hearNotifications, type Notifications } from '../support/service-manager.js';
import { dial, echo, listenTcp, type Upstream } from '../support/tcp.js';
import { type TempFolder, tempFolder } from '../support/temp.js';
import { describeWith } from '../support/tools.js';
import { startGenerations } from '../support/upgrade.js';
import { eventually } from '../support/wait.js';

let folder: TempFolder;
let upstream: Upstream;
let notifications: Notifications;
const daemons: Daemon[] = [];

async function start(environment: NodeJS.ProcessEnv = {}): Promise<Daemon> {
  const daemon = await startDaemon(
    {
      server: { workers: 2, graceful_shutdown_timeout: '20s' },
      protocols: [{ name: 'Redis', target: upstream.target }],
    },
    { environment: { NOTIFY_SOCKET: `${folder.path}/notify.sock`, ...environment } },
  );
  daemons.push(daemon);
  return daemon;
}

describeWith('python3')('systemd', () => {
  beforeEach(async () => {
    folder = tempFolder();
    upstream = await listenTcp(echo);
    notifications = await hearNotifications(`${folder.path}/notify.sock`);
  });

  afterEach(async () => {
    for (const daemon of daemons.splice(0)) await daemon.stop();
    await notifications.stop();
    await upstream.close();
    folder.remove();
  });

  test('is told that the service is ready, and that it stops before sessions have ended', async () => {
    const daemon = await start();
    expect(await notifications.heard('READY=1')).toContain('STATUS=serving 1 listener with 2 workers');
    const client = await dial(daemon.port);
    client.send(redisPing);
    await daemon.metricBecomes('anyport_sessions_active', 1);
    daemon.signal('SIGTERM');
    await notifications.heard('STOPPING=1');
    expect(daemon.child.exitCode).toBeNull();
    client.finish();
    expect(await daemon.exit()).toBe(0);
  });

  test('is told that a reload begins, and what became of it', async () => {
    const daemon = await start();
    await notifications.heard('READY=1');
    daemon.configure('server: { workers: none }');
    daemon.signal('SIGHUP');
    expect(await notifications.heard('RELOADING=1')).toMatch(/\nMONOTONIC_USEC=\d+\n/);
    await notifications.heard(/^STATUS=.*last reload: refused$/);
    const states = notifications.told.map((each) => each.split('\n', 1)[0]);
    expect(states).toEqual(['READY=1', 'RELOADING=1', 'READY=1']);
  });

  test('hears which process is the service after an upgrade, and nothing more of the old one', async () => {
    const generations = await startGenerations(
      {
        server: { graceful_shutdown_timeout: '20s' },
        protocols: [{ name: 'Redis', target: upstream.target }],
      },
      { NOTIFY_SOCKET: `${folder.path}/notify.sock`, WATCHDOG_USEC: '400000', WATCHDOG_PID: '' },
    );
    const client = await dial(generations.daemon.port);
    client.send(redisPing);
    await client.bytes(redisPing.length);
    const pid = await generations.upgrade();
    await notifications.heard(`MAINPID=${pid}`);
    const since = notifications.told.indexOf(`MAINPID=${pid}`);
    await eventually('the new one to be ready', () =>
      notifications.told.slice(since).some((each) => each.startsWith('READY=1')),
    );
    await eventually('its watchdog', () => notifications.told.slice(since).includes('WATCHDOG=1'));
    client.finish();
    await eventually('the old process to end', () => generations.living.length === 1);
    expect(notifications.told.filter((each) => each.startsWith('STOPPING=1'))).toEqual([]);
    await generations.stop();
  });

  test('hears the watchdog while the daemon runs, and not while it is stopped', async () => {
    const daemon = await start({ WATCHDOG_USEC: '200000' });
    const beats = () => notifications.told.filter((each) => each === 'WATCHDOG=1').length;
    await eventually('several beats', () => beats() >= 3);
    daemon.signal('SIGSTOP');
    await sleep(500); // for those that are under way
    const before = beats();
    await sleep(600);
    expect(beats()).toBe(before);
    daemon.signal('SIGCONT');
    await eventually('a beat again', () => beats() > before);
  });
});

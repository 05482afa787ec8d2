/** Where the control interface is, and how that changes while it runs. */
import { existsSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { ControlSite, send, startControlled } from '../support/control.js';
import { anyport, type Daemon, startDaemon } from '../support/daemon.js';
import { freePort } from '../support/ports.js';
import { listenTcp } from '../support/tcp.js';
import { type TempFolder, tempFolder } from '../support/temp.js';

const protocols = [{ name: 'Redis', handler: 'builtin:redis' }];
const TOKEN = 'a-token-that-is-long-enough';
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

let daemon: Daemon | undefined;
let folder: TempFolder | undefined;

afterEach(async () => {
  await daemon?.stop();
  folder?.remove();
  [daemon, folder] = [undefined, undefined];
});

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);
const at = (port: number) => ({ host: '127.0.0.1', port });

describe('a unix socket', () => {
  test('is for the owner alone, and its file goes with the daemon', async () => {
    folder = tempFolder();
    const path = `${folder.path}/admin.sock`;
    daemon = await startDaemon({ admin: { listen: `unix:${path}` }, protocols });
    expect(modeOf(path)).toBe('600');
    const site = new ControlSite({ path });
    expect((await site.get('/api/v1/status')).body.pid).toBe(daemon.pid);
    // There is no name to be foreign: the file's permissions are the access.
    expect((await site.ask('GET', '/', { headers: { host: 'any', origin: 'http://any' } })).status).toBe(200);
    daemon.signal('SIGTERM');
    await daemon.exit();
    expect(existsSync(path)).toBe(false);
  });

  test('has the mode that is configured, also after a reload', async () => {
    folder = tempFolder();
    const path = `${folder.path}/admin.sock`;
    const config = (mode: string) => ({ admin: { listen: `unix:${path}`, mode }, protocols });
    daemon = await startDaemon(config('0660'));
    expect(modeOf(path)).toBe('660');
    await daemon.reload(config('0666'));
    expect(modeOf(path)).toBe('666');
    expect((await new ControlSite({ path }).get('/health/live')).status).toBe(200);
  });

  test('takes the place of one that a killed daemon has left', async () => {
    folder = tempFolder();
    const path = `${folder.path}/admin.sock`;
    const config = { admin: { listen: `unix:${path}` }, protocols };
    const killed = await startDaemon(config);
    killed.signal('SIGKILL');
    await killed.exit();
    killed.folder.remove();
    expect(existsSync(path)).toBe(true);
    daemon = await startDaemon(config);
    expect((await new ControlSite({ path }).get('/api/v1/status')).body.pid).toBe(daemon.pid);
  });

  test('is not taken from a daemon that runs', async () => {
    folder = tempFolder();
    const path = `${folder.path}/admin.sock`;
    daemon = await startDaemon({ admin: { listen: `unix:${path}` }, protocols });
    const second = await anyport(['run', '--listen', '127.0.0.1:0', '--admin', `unix:${path}`]);
    expect(second.status).toBe(1);
    expect(second.stdout).toMatch(/control interface can not listen on unix:.*in use/);
    expect((await new ControlSite({ path }).get('/health/live')).status).toBe(200);
  });
});

describe('a token', () => {
  test('opens every resource; without it nothing is told', async () => {
    const port = await freePort();
    daemon = await startDaemon({ admin: { listen: `127.0.0.1:${port}`, token: TOKEN }, protocols });
    const site = new ControlSite(at(port));
    for (const path of ['/', '/metrics', '/health/ready', '/api/v1/status', '/api/v1/config']) {
      const refused = await site.get(path);
      expect(refused).toMatchObject({
        status: 401,
        headers: { 'www-authenticate': 'Bearer realm="anyport"' },
      });
      expect((await site.ask('GET', path, bearer(TOKEN))).status).toBe(200);
    }
    expect((await send(at(port), 'GET', '/no-such-thing')).status).toBe(401);
    expect((await site.ask('GET', '/', bearer(`${TOKEN}x`))).status).toBe(401);
    const config = await site.ask('GET', '/api/v1/config', bearer(TOKEN));
    expect(config.body.admin.token).toBe('***');
    const same = await site.ask('PUT', '/api/v1/config', { body: config.body, ...bearer(TOKEN) });
    expect(same.body.result).toBe('unchanged');
  });

  test('changes with a reload, and the request that changes it is answered', async () => {
    const port = await freePort();
    const admin = (token: string) => ({ listen: `127.0.0.1:${port}`, token });
    daemon = await startDaemon({ admin: admin(TOKEN), protocols });
    const site = new ControlSite(at(port));
    const { body } = await site.ask('GET', '/api/v1/config', bearer(TOKEN));
    const put = await site.ask('PUT', '/api/v1/config', {
      body: { ...body, admin: admin('another-one-of-this-length') },
      ...bearer(TOKEN),
    });
    expect(put.body.result).toBe('applied');
    expect(JSON.stringify(put.body)).not.toContain('another-one');
    expect((await site.ask('GET', '/', bearer(TOKEN))).status).toBe(401);
    expect((await site.ask('GET', '/', bearer('another-one-of-this-length'))).status).toBe(200);
  });
});

describe('its address', () => {
  test('moves with the configuration, and the request that moves it is answered', async () => {
    const started = await startControlled({ protocols });
    daemon = started.daemon;
    const { site, port } = started;
    folder = tempFolder();
    const path = `${folder.path}/admin.sock`;
    const { body } = await site.get('/api/v1/config');
    const put = await site.ask('PUT', '/api/v1/config', {
      body: { ...body, admin: { listen: `unix:${path}` } },
    });
    expect(put.body.result).toBe('applied');
    await expect(site.get('/')).rejects.toThrow(/ECONNREFUSED/);
    const moved = new ControlSite({ path });
    expect((await moved.get('/health/live')).status).toBe(200);
    expect((await moved.ask('POST', '/api/v1/reload')).body.result).toBe('applied');
    expect(existsSync(path)).toBe(false);
    expect((await new ControlSite(at(port)).get('/health/live')).status).toBe(200);
  });

  test('one that is in use refuses the whole change', async () => {
    const started = await startControlled({ protocols });
    daemon = started.daemon;
    const { site } = started;
    const taken = await listenTcp();
    const { body } = await site.get('/api/v1/config');
    const next = {
      ...body,
      admin: { listen: taken.target },
      protocols: [...protocols, { name: 'SSH', target: '127.0.0.1:1' }],
    };
    const put = await site.ask('PUT', '/api/v1/config', { body: next });
    expect(put.status).toBe(422);
    expect(put.body.error.message).toMatch(/control interface can not listen on .*in use/);
    expect((await site.get('/api/v1/config')).body).toEqual(body);
    expect((await site.get('/api/v1/protocols')).body.protocols).toHaveLength(1);
    await taken.close();
  });

  test('goes and comes with its section', async () => {
    const port = await freePort();
    const admin = { listen: `127.0.0.1:${port}` };
    daemon = await startDaemon({ admin, protocols });
    const site = new ControlSite(at(port));
    expect((await site.get('/health/live')).status).toBe(200);
    await daemon.reload({ protocols });
    await expect(site.get('/')).rejects.toThrow(/ECONNREFUSED/);
    const free = createServer().listen(port, '127.0.0.1');
    await new Promise((resolve) => free.once('listening', resolve));
    await new Promise((resolve) => free.close(resolve));
    await daemon.reload({ admin, protocols });
    expect((await site.get('/health/live')).status).toBe(200);
  });

  test('another host with the same port is possible', async () => {
    const port = await freePort();
    const admin = (host: string) => ({ admin: { listen: `${host}:${port}`, token: TOKEN }, protocols });
    daemon = await startDaemon(admin('127.0.0.1'));
    await daemon.reload(admin('0.0.0.0'));
    const everywhere = new ControlSite({ host: '127.0.0.2', port });
    expect((await everywhere.ask('GET', '/health/live', bearer(TOKEN))).status).toBe(200);
    await daemon.reload(admin('127.0.0.1'));
    await expect(everywhere.get('/')).rejects.toThrow(/ECONNREFUSED/);
  });

  test('without its section there is none', async () => {
    daemon = await startDaemon({ protocols });
    expect(daemon.lines.find(({ msg }) => msg === 'ready')).not.toHaveProperty('admin');
  });
});

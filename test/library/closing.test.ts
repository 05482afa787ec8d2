/** `close`: when, how often, and what becomes of sessions and descriptors. */
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openFiles } from '../support/proc.js';
import { dial } from '../support/tcp.js';
import { tempFolder } from '../support/temp.js';
import { eventually } from '../support/wait.js';
import { ANY, anyport, create, echoes, SSH } from './anyport.js';

const { protocols } = anyport;

test('lets sessions finish, and then is done', async () => {
  const plex = create();
  void plex.addProtocol(protocols.ssh({ handler: echoes }));
  await plex.listen(ANY);
  const { port = 0 } = plex.address ?? {};
  const peer = await dial(port ?? 0);
  peer.send(SSH);
  await peer.bytes(SSH.length);
  const closed = plex.close({ drain: '60s' });
  peer.send('more').finish();
  expect(String(await peer.bytes(SSH.length + 4))).toContain('more');
  expect(await closed).toBe(true);
  await expect(dial(port ?? 0)).rejects.toThrow();
  expect(plex.metrics()).toMatchObject({ activeConnections: 0, acceptedConnections: 1 });
  await expect(plex.metricsText()).rejects.toMatchObject({ code: 'not_listening' });
});

test.each([
  { why: 'at once', close: { drain: 0 } },
  { why: 'after a time', close: { drain: '50ms' } },
  { why: 'after a time as a number', close: { drain: 50 } },
])('ends those that are left: $why', async ({ close }) => {
  const plex = create();
  void plex.addProtocol(protocols.ssh({ handler: echoes }));
  await plex.listen(ANY);
  const peer = await dial(plex.address?.port ?? 0);
  peer.send(SSH);
  await peer.bytes(SSH.length);
  expect(await plex.close(close)).toBe(false);
  expect(await peer.end()).toBe('reset');
});

test('twice is once, and the second one may be quicker', async () => {
  const plex = create();
  void plex.addProtocol(protocols.ssh({ handler: echoes }));
  await plex.listen(ANY);
  const peer = await dial(plex.address?.port ?? 0);
  peer.send(SSH);
  await peer.bytes(SSH.length);
  const first = plex.close();
  await sleep(20);
  expect(await Promise.all([plex.close({ drain: 0 }), first])).toEqual([false, false]);
  expect(await plex.close()).toBe(false);
});

test('before listen, during it, and in a handler', async () => {
  const before = openFiles(process.pid);
  expect(await create().close()).toBe(true);

  const during = create();
  const listening = expect(during.listen(ANY)).rejects.toMatchObject({ code: 'closed' });
  expect(await during.close()).toBe(true);
  await listening;

  const inside = create();
  const closed: Promise<boolean>[] = [];
  void inside.addProtocol(
    protocols.ssh({
      handler(socket) {
        closed.push(inside.close({ drain: '60s' }));
        socket.end('bye');
      },
    }),
  );
  await inside.listen(ANY);
  const peer = await dial(inside.address?.port ?? 0);
  peer.send(SSH).finish();
  expect(String(await peer.bytes(3))).toBe('bye');
  expect(await closed[0]).toBe(true);
  await peer.end();
  await eventually('every file to be closed', () => openFiles(process.pid) <= before);
});

test('during listen, at any moment of it', async () => {
  const before = openFiles(process.pid);
  for (let ms = 0; ms <= 60; ms += 6) {
    const plex = create();
    void plex.addProtocol(protocols.ssh({ handler: echoes }));
    const listening = plex.listen(ANY).then(
      () => 'listening',
      ({ code }) => code,
    );
    await sleep(ms);
    expect(await plex.close({ drain: 0 })).toBe(true);
    expect(['listening', 'closed']).toContain(await listening);
  }
  await eventually('every file to be closed', () => openFiles(process.pid) <= before);
});

test('afterwards nothing can be asked of it', async () => {
  const plex = create();
  await plex.listen(ANY);
  await plex.close();
  await expect(plex.listen(ANY)).rejects.toMatchObject({ code: 'closed' });
  await expect(plex.addProtocol(protocols.http({ target: 'a:1' }))).rejects.toMatchObject({
    code: 'closed',
  });
  await expect(plex.updateConfig({})).rejects.toMatchObject({ code: 'closed' });
});

test('a drain that is no duration', () => {
  expect(() => create().close({ drain: 'soon' })).toThrow(anyport.AnyportError);
  expect(() => create().close({ drain: -1 })).toThrow('drain');
});

test('await using', async () => {
  let port = 0;
  {
    await using plex = anyport.createAnyport();
    await plex.listen(ANY);
    port = plex.address?.port ?? 0;
    expect((await dial(port)).socket.connecting).toBe(false);
  }
  await expect(dial(port)).rejects.toThrow();
});

test('a drain that is asked for over the control interface is a close', async () => {
  const folder = tempFolder();
  const socketPath = `${folder.path}/admin.sock`;
  const plex = create({ admin: { listen: `unix:${socketPath}` } });
  await plex.listen(ANY);
  const asked = request({ socketPath, path: '/api/v1/drain', method: 'POST' });
  asked.end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  response.resume();
  expect(response.statusCode).toBeLessThan(300);
  await eventually('the end', () => plex.addresses.length === 0);
  expect(await plex.close()).toBe(true);
  folder.remove();
});

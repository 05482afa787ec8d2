/** Changes while it runs: each whole or not at all, in force when its promise resolves. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { AnyportError, AnyportOptions, Diff } from '../../src/index.js';
import { dial } from '../support/tcp.js';
import { tempFolder } from '../support/temp.js';
import { eventually } from '../support/wait.js';
import { ANY, anyport, ask, CUSTOM, collector, create, echoes, HTTP, REDIS, SSH, says } from './anyport.js';

const { protocols } = anyport;

async function listening(options: AnyportOptions = {}) {
  const plex = create(options);
  void plex.addProtocol(protocols.http({ handler: says('before') }));
  await plex.listen(ANY);
  const changes: { next: AnyportOptions; diff: Diff }[] = [];
  const errors: AnyportError[] = [];
  plex.on('configChange', (next, diff) => changes.push({ next, diff }));
  plex.on('error', (error) => errors.push(error));
  return { plex, changes, errors };
}

test('protocols come, change and go; each is told', async () => {
  const { plex, changes } = await listening();
  await plex.addProtocol(protocols.redis({ handler: says('redis') }));
  expect(await ask(plex, REDIS)).toBe('redis');
  await plex.updateProtocol('HTTP', { handler: says('after') });
  expect(await ask(plex, HTTP)).toBe('after');
  await plex.removeProtocol('Redis');
  expect(await ask(plex, REDIS)).toBe('');
  await plex.addProtocol({ name: 'Mine', startBytes: 'aa55', handler: says('mine') });
  expect(await ask(plex, CUSTOM)).toBe('mine');

  expect(changes.map(({ diff }) => diff[0])).toMatchObject([
    { kind: 'protocol', name: 'redis', change: 'added' },
    { kind: 'upstream', name: 'http', change: 'changed', fields: [{ key: 'handler', to: '(function)' }] },
    { kind: 'protocol', name: 'redis', change: 'removed' },
    { kind: 'protocol', name: 'Mine', change: 'added' },
  ]);
  expect(changes[0]?.next.protocols?.map(({ name }) => name)).toEqual(['http', 'redis']);
});

test('a session keeps what it began with', async () => {
  const { plex } = await listening();
  await plex.addProtocol(protocols.ssh({ handler: echoes }));
  const peer = await dial(plex.address?.port ?? 0);
  peer.send(SSH);
  await peer.bytes(SSH.length);
  await plex.removeProtocol('ssh');
  peer.send('still here').finish();
  expect(String(await peer.bytes(SSH.length + 10))).toContain('still here');
  expect(await peer.end()).toBe('fin');
  expect(await ask(plex, SSH)).toBe('');
});

test('changes that are made at once are made one after the other', async () => {
  const { plex, changes } = await listening();
  await Promise.all([
    plex.addProtocol(protocols.redis({ handler: says('one') })),
    plex.updateProtocol('redis', { handler: says('two') }),
    plex.addProtocol(protocols.ssh({ handler: says('ssh') })),
    plex.updateConfig({ ...plex.config, idleTimeout: '1m' }),
  ]);
  expect(changes).toHaveLength(4);
  expect(plex.config).toMatchObject({ idleTimeout: '1m', protocols: [{ name: 'http' }] });
});

test('those made while it opens come after', async () => {
  const plex = create();
  void plex.addProtocol(protocols.http({ handler: says('http') }));
  const opened = plex.listen(ANY);
  const added = plex.addProtocol(protocols.redis({ handler: says('redis') }));
  await opened;
  await added;
  expect([await ask(plex, HTTP), await ask(plex, REDIS)]).toEqual(['http', 'redis']);
});

test('what is refused changes nothing, and says everything', async () => {
  const { plex, changes } = await listening();
  const before = plex.config;
  await expect(
    plex.addProtocol({ name: 'Bad', startBytes: 'xyz', target: 'nowhere', minBytes: -1 }),
  ).rejects.toMatchObject({
    code: 'invalid_config',
    problems: [
      { path: 'protocols[1].startBytes[0]' },
      { path: 'protocols[1].minBytes' },
      { path: 'protocols[1].target' },
    ].map((each) => expect.objectContaining(each)),
  });
  await expect(plex.addProtocol(protocols.http({ target: 'a:1' }))).rejects.toThrow('listed twice');
  await expect(plex.updateProtocol('nobody', {})).rejects.toMatchObject({
    code: 'refused',
    message: 'no protocol `nobody` is configured',
  });
  await expect(plex.updateConfig({ maxConnections: 0 })).rejects.toMatchObject({
    code: 'invalid_config',
    problems: [{ path: 'maxConnections' }],
  });
  await expect(plex.updateConfig({ workers: 2 })).rejects.toMatchObject({ problems: [{ path: 'workers' }] });
  expect(plex.config).toEqual(before);
  expect(changes).toEqual([]);
  expect(await ask(plex, HTTP)).toBe('before');
});

test('what can not change while it runs is refused by name', async () => {
  const { plex } = await listening();
  await expect(plex.updateConfig({ ...plex.config, bufferSize: '64KiB' })).rejects.toMatchObject({
    problems: [expect.objectContaining({ path: 'bufferSize' })],
  });
});

test('a module that can not be loaded: the old one runs on', async () => {
  const { plex } = await listening();
  const folder = tempFolder();
  const broken = join(folder.path, 'broken.mjs');
  writeFileSync(broken, 'export default (socket => {');
  await expect(plex.updateProtocol('http', { handler: broken })).rejects.toMatchObject({
    code: 'refused',
    message: expect.stringContaining('broken.mjs'),
  });
  folder.remove();
  expect(await ask(plex, HTTP)).toBe('before');
});

test('an error that nobody awaits goes to `error`, once; one that is awaited does not', async () => {
  const { plex, errors } = await listening();
  void plex.removeProtocol('nobody');
  await eventually('the error', () => errors.length > 0);
  await expect(plex.removeProtocol('nobody')).rejects.toThrow();
  const late = plex.removeProtocol('nobody');
  late.catch(() => {});
  await sleep(50);
  expect(errors).toMatchObject([{ code: 'refused', message: 'no protocol `nobody` is configured' }]);
});

test('without a listener of `error` it is a line of the log', async () => {
  const { logger, said } = collector();
  const plex = create({ logger });
  await plex.listen(ANY);
  void plex.removeProtocol('nobody');
  const line = await eventually('the line', () => said('nobody').find(({ code }) => code === 'refused'));
  expect(line.level).toBe('error');
});

test('a listener that throws or rejects harms nobody, and is told', async () => {
  const { plex, changes, errors } = await listening();
  plex.prependListener('configChange', () => {
    throw new Error('mine');
  });
  plex.on('configChange', () => Promise.reject(new Error('mine too')));
  plex.on('error', () => {
    throw new Error('and here');
  });
  await plex.addProtocol(protocols.redis({ handler: says('redis') }));
  expect(await ask(plex, REDIS)).toBe('redis');
  expect(changes).toHaveLength(1);
  await eventually('both', () => errors.length === 2);
  expect(errors).toMatchObject([
    { code: 'listener_failed', cause: { message: 'mine' } },
    { code: 'listener_failed', cause: { message: 'mine too' } },
  ]);
});

test('another configuration keeps the addresses, unless it names some', async () => {
  const { plex, changes } = await listening();
  const { port } = plex.address ?? {};
  await plex.updateConfig({ protocols: [protocols.redis({ handler: says('redis') })] });
  expect(plex.address?.port).toBe(port);
  expect([await ask(plex, HTTP), await ask(plex, REDIS)]).toEqual(['', 'redis']);
  expect(changes[0]?.next).toMatchObject({ listen: [ANY], protocols: [{ name: 'redis' }], workers: 0 });
});

test('the same again is no change', async () => {
  const { plex, changes } = await listening();
  await plex.updateConfig(plex.config);
  expect(changes).toEqual([]);
});

test('what the caller changes afterwards is not seen', async () => {
  const plex = create();
  const definition = { name: 'Mine', startBytes: ['aa55'], handler: says('mine') };
  void plex.addProtocol(definition);
  definition.startBytes[0] = 'ffff';
  await plex.listen(ANY);
  expect(await ask(plex, CUSTOM)).toBe('mine');
});

/** `listen`: addresses, and everything that can be wrong with them and with the options. */
import { expect, test } from 'vitest';
import { freePort } from '../support/ports.js';
import { dial, echo, listenTcp } from '../support/tcp.js';
import { tempFolder } from '../support/temp.js';
import { ANY, anyport, ask, create, HTTP, host, says } from './anyport.js';

const { protocols } = anyport;

test('several addresses, at once and later; each says its port', async () => {
  const folder = tempFolder();
  const plex = create();
  void plex.addProtocol(protocols.http({ handler: says('ok') }));
  const first = await plex.listen([ANY, `unix:${folder.path}/a.sock`]);
  expect(first).toMatchObject([
    { address: `${host}:${first[0]?.port}` },
    { address: `unix:${folder.path}/a.sock`, port: null },
  ]);
  const port = await freePort();
  const second = await plex.listen(`${host}:${port}`);
  expect(second).toEqual([{ name: `${host}:${port}`, address: `${host}:${port}`, port, transport: 'tcp' }]);
  expect(plex.addresses).toEqual([...first, ...second]);
  expect(plex.address).toEqual(first[0]);
  for (const { port: each } of [first[0], second[0]].filter((found) => found !== undefined)) {
    const peer = await dial(each ?? 0);
    peer.send(HTTP);
    expect(String(await peer.bytes(2))).toBe('ok');
  }
  expect(await plex.listen()).toEqual([]);
  await plex.close({ drain: 0 });
  expect(plex.addresses).toEqual([]);
  expect(plex.address).toBeNull();
  folder.remove();
});

test('twice at once: one opens, the other one adds', async () => {
  const plex = create();
  const [one, other] = await Promise.all([plex.listen(ANY), plex.listen(`${host}:${await freePort()}`)]);
  expect([one.length, other.length]).toEqual([1, 1]);
  expect(plex.addresses).toHaveLength(2);
});

test('the addresses of the options', async () => {
  const plex = create({ listen: ANY, listeners: [{ name: 'other', address: ANY }] });
  const found = await plex.listen();
  expect(found.map(({ name }) => name)).toEqual([ANY, 'other']);
});

test('forwards are listened on, and need no other address', async () => {
  const server = await listenTcp((peer) => peer.send('hello'));
  const plex = create({ forwards: [{ name: 'it', listen: ANY, target: server.target, maxConnections: 2 }] });
  const [found, ...others] = await plex.listen();
  expect([found?.name, others]).toEqual(['it', []]);
  const peer = await dial(found?.port ?? 0);
  expect(String(await peer.bytes(5))).toBe('hello');
  await plex.updateConfig({
    forwards: [{ name: 'it', listen: ANY, target: [{ address: server.target, weight: 2 }] }],
  });
  expect(plex.addresses.map(({ name }) => name)).toEqual(['it']);
  await plex.close({ drain: 0 });
  await server.close();
});

test('an address in use is an error with its cause, and another try may succeed', async () => {
  const taken = await listenTcp(echo);
  const plex = create();
  await expect(plex.listen(taken.target)).rejects.toMatchObject({
    name: 'AnyportError',
    code: 'listen_failed',
    message: expect.stringContaining(taken.target),
    cause: { code: 'EADDRINUSE' },
  });
  expect(plex.addresses).toEqual([]);
  await plex.listen(ANY);
  await expect(plex.listen(taken.target)).rejects.toMatchObject({ code: 'refused' });
  expect(plex.addresses).toHaveLength(1);
});

test('what is wrong is told at once, all of it, in the caller’s spelling', async () => {
  const plex = create({
    identifyTimeout: '1 year',
    bufferSize: 1024,
    identifyMinBytes: 2048,
    protocols: [
      { name: 'Htpp', target: 'a:80' },
      { name: 'Mine', startBytes: 'x', target: 'b:80' },
    ],
    // @ts-expect-error: as JavaScript would
    maxConections: 5,
  });
  await expect(plex.listen(ANY)).rejects.toMatchObject({
    code: 'invalid_config',
    problems: expect.arrayContaining([
      { path: 'identifyTimeout', message: expect.stringContaining('expected a duration') },
      { path: 'identifyMinBytes', message: expect.stringContaining('do not fit into bufferSize') },
      { path: 'protocols[0].name', message: expect.stringContaining('did you mean `http`') },
      { path: 'protocols[1].startBytes[0]', message: expect.stringContaining('hexadecimal') },
      { path: 'maxConections', message: 'unknown key `maxConections`: did you mean `maxConnections`?' },
    ]),
  });
});

test('a handler that is no function and no module', async () => {
  const plex = create();
  void plex.addProtocol(protocols.http({ handler: './not-there.mjs' }));
  await expect(plex.listen(ANY)).rejects.toMatchObject({
    code: 'invalid_config',
    problems: [{ path: 'protocols[0].handler', message: expect.stringContaining('no such file') }],
  });
});

test('the same again is refused', async () => {
  const plex = create();
  const [first] = await plex.listen(ANY);
  await expect(plex.listen(ANY)).rejects.toMatchObject({
    code: 'refused',
    message: `it listens on ${ANY} already`,
  });
  expect(plex.addresses).toEqual([first]);
});

test('another configuration may name other addresses', async () => {
  const plex = create();
  void plex.addProtocol(protocols.http({ handler: says('ok') }));
  await plex.listen(ANY);
  const before = plex.address?.port ?? 0;
  const port = await freePort();
  await plex.updateConfig({ ...plex.config, listen: `${host}:${port}` });
  expect(plex.addresses.map((each) => each.port)).toEqual([port]);
  expect(await ask(plex, HTTP)).toBe('ok');
  await expect(dial(before)).rejects.toThrow();
});

test('before listen there are figures, all zero', () => {
  expect(create().metrics()).toMatchObject({
    activeConnections: 0,
    memoryPool: { tiers: [] },
    cacheHitRate: null,
    protocols: {},
  });
});

test('after it, buffers of four sizes', async () => {
  const plex = create();
  await plex.listen(ANY);
  const { memoryPool, workers } = plex.metrics();
  expect(memoryPool.tiers.map(({ name }) => name)).toEqual(['tiny', 'small', 'medium', 'large']);
  expect(workers).toEqual({ wanted: 1, accepting: 1 });
  expect(await plex.metricsText()).toContain('anyport_accepted_total');
});

test('instances share nothing', async () => {
  const [one, other] = [create(), create()];
  void one.addProtocol(protocols.http({ handler: says('one') }));
  void other.addProtocol(protocols.http({ handler: says('other') }));
  await Promise.all([one.listen(ANY), other.listen(ANY)]);
  expect([await ask(one, HTTP), await ask(other, HTTP)]).toEqual(['one', 'other']);
  await one.close();
  expect(await ask(other, HTTP)).toBe('other');
  expect([one.metrics().acceptedConnections, other.metrics().acceptedConnections]).toEqual([1, 2]);
});

/** `listen`: addresses, and everything that can be wrong with them and with the options. */
import { expect, test } from 'vitest';
import { echo, listenTcp } from '../support/tcp.js';
import { ANY, anyport, ask, create, HTTP, says } from './anyport.js';

const { protocols } = anyport;

test('the addresses of the options', async () => {
  const plex = create({ listen: ANY, listeners: [{ name: 'other', address: ANY }] });
  const found = await plex.listen();
  expect(found.map(({ name }) => name)).toEqual([ANY, 'other']);
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

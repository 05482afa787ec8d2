/** Sessions on this thread: which protocol takes them, and what its handler or endpoint sees. */
import { afterEach, expect, test } from 'vitest';
import { openFiles } from '../support/proc.js';
import { dial, listenTcp, type Upstream } from '../support/tcp.js';
import { eventually } from '../support/wait.js';
import { ANY, anyport, ask, CUSTOM, collector, create, HTTP, REDIS, SSH, says } from './anyport.js';

const { protocols } = anyport;

const upstreams: Upstream[] = [];
afterEach(async () => {
  await Promise.all(upstreams.splice(0).map((upstream) => upstream.close()));
});

async function upstreamThat(serve: Parameters<typeof listenTcp>[0]): Promise<Upstream> {
  const upstream = await listenTcp(serve);
  upstreams.push(upstream);
  return upstream;
}

test('built-ins and one of your own share the port; what nobody takes is closed', async () => {
  const web = await upstreamThat((peer) => peer.socket.end('web'));
  const plex = create({ workers: 0, identifyMinBytes: 4 });
  void plex.addProtocol(protocols.http({ target: web.target, priority: 1 }));
  void plex.addProtocol(protocols.redis({ handler: says('+PONG\r\n') }));
  void plex.addProtocol({
    name: 'Custom',
    startBytes: ['aa55'],
    validate: (bytes) => (bytes[2] === 1 ? 'match' : 'no'),
    handler: says('custom'),
  });
  await plex.listen(ANY);
  expect(await ask(plex, HTTP)).toBe('web');
  expect(await ask(plex, REDIS)).toBe('+PONG\r\n');
  expect(await ask(plex, CUSTOM)).toBe('custom');
  expect(await ask(plex, Uint8Array.of(0xaa, 0x55, 2, 0))).toBe('');
  expect(await ask(plex, SSH)).toBe('');
  expect(plex.metrics().protocols).toMatchObject({ http: { ended: 1 }, redis: { ended: 1 } });
});

const signatures = [
  { why: 'hexadecimal text', signature: { startBytes: 'aa55' } },
  { why: 'bytes', signature: { startBytes: [Uint8Array.of(0xaa, 0x55)] } },
  { why: 'bytes further on', signature: { startBytes: ['55'], offset: 1 } },
  { why: 'a regular expression', signature: { regex: /^\xAA[\x50-\x5f]/ } },
  { why: 'a pattern as text', signature: { regex: '^\\xAA\\x55' } },
  { why: 'bytes anywhere', signature: { contains: ['5501'] } },
  { why: 'a number of bytes', signature: { startBytes: ['aa'], minBytes: 3, maxBytes: 3 } },
  {
    why: 'a function alone',
    signature: { validate: (bytes: Uint8Array) => (bytes[0] === 0xaa ? 'match' : 'no') },
  },
] as const;
test.each(signatures)('recognised by $why', async ({ signature }) => {
  const plex = create({ identifyMinBytes: 3 });
  void plex.addProtocol({ name: 'Mine', handler: says('mine'), ...signature });
  await plex.listen(ANY);
  expect(await ask(plex, CUSTOM)).toBe('mine');
  expect(await ask(plex, 'nothing of the kind')).toBe('');
});

test('several endpoints are balanced, also with options of their own', async () => {
  const [one, two] = [
    await upstreamThat((peer) => peer.socket.end('one')),
    await upstreamThat((peer) => peer.socket.end('two')),
  ];
  const plex = create();
  const endpoints = [one.target, { address: two.target, weight: 1 }];
  void plex.addProtocol(protocols.http({ target: endpoints }));
  void plex.addProtocol(protocols.ssh({ target: { endpoints, balance: 'round_robin', dscp: 0 } }));
  void plex.addProtocol(protocols.redis({ target: `${one.target},${two.target}` }));
  await plex.listen(ANY);
  for (const bytes of [HTTP, SSH, REDIS]) {
    expect([await ask(plex, bytes), await ask(plex, bytes)].toSorted()).toEqual(['one', 'two']);
  }
});

test('a validator that throws, or answers nonsense, says no, and the port goes on', async () => {
  const { logger, said } = collector();
  const plex = create({ logger });
  let answer: () => unknown = () => {
    throw new Error('not today');
  };
  const validate = () => answer() as 'match';
  void plex.addProtocol({ name: 'Mine', startBytes: ['aa'], validate, handler: says('mine') });
  await plex.listen(ANY);
  expect(await ask(plex, CUSTOM)).toBe('');
  answer = () => Promise.reject(new Error('later'));
  expect(await ask(plex, CUSTOM)).toBe('');
  answer = () => 'match';
  expect(await ask(plex, CUSTOM)).toBe('mine');
  await eventually('the lines of it', () => said('validator failed').length === 2);
  expect(said('validator failed')[0]).toMatchObject({ protocol: 'mine', error: expect.any(String) });
});

test('a handler that throws or rejects ends its own session', async () => {
  const plex = create();
  void plex.addProtocol(protocols.redis({ handler: () => Promise.reject(new Error('no')) }));
  void plex.addProtocol(
    protocols.ssh({
      handler: () => {
        throw new Error('no');
      },
    }),
  );
  void plex.addProtocol(protocols.http({ handler: says('ok') }));
  await plex.listen(ANY);
  expect(await ask(plex, REDIS)).toBe('ECONNRESET');
  expect(await ask(plex, SSH)).toBe('ECONNRESET');
  expect(await ask(plex, HTTP)).toBe('ok');
  expect(plex.metrics().endedConnections.handler_error).toBe(2);
});

test('a handler’s first read is the opening, and a reset client is an error', async () => {
  const seen: unknown[] = [];
  const plex = create();
  void plex.addProtocol(
    protocols.ssh({
      handler(socket, session) {
        socket.once('data', (chunk) => seen.push(String(chunk), session.protocol));
        socket.on('end', () => seen.push('end'));
        socket.on('error', ({ code }: NodeJS.ErrnoException) => seen.push(code));
      },
    }),
  );
  await plex.listen(ANY);
  const peer = await dial(plex.address?.port ?? 0);
  peer.send(SSH);
  await eventually('the opening', () => seen.length === 2);
  peer.reset();
  await eventually('the reset', () => seen.length === 3);
  expect(seen).toEqual([SSH, 'ssh', 'ECONNRESET']);
});

test('a handler that answers without reading leaves no descriptor behind', async () => {
  const plex = create();
  void plex.addProtocol(protocols.redis({ handler: says('+PONG\r\n') }));
  await plex.listen(ANY);
  await ask(plex, REDIS);
  const before = openFiles(process.pid);
  for (let each = 0; each < 10; each += 1) {
    const peer = await dial(plex.address?.port ?? 0);
    peer.send(REDIS);
    await peer.bytes(7);
    if (each % 2 === 0) peer.reset();
    else peer.finish();
  }
  await eventually('every file to be closed', () => openFiles(process.pid) <= before);
});

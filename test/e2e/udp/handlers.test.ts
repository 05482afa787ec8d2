/** Flows that a handler serves in the daemon: each has a datagram socket of its own. */
import { writeFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { hex } from '../../cases/case.js';
import { type Daemon, startDaemon } from '../../support/daemon.js';
import { type DatagramPeer, datagramClient } from '../../support/datagrams.js';
import { freePort } from '../../support/ports.js';
import { dial } from '../../support/tcp.js';
import { type TempFolder, tempFolder } from '../../support/temp.js';
import { eventually } from '../../support/wait.js';

const open: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close();
});

interface Started {
  readonly daemon: Daemon;
  readonly port: number;
}

async function start(
  handler: string,
  { listener = {}, ...rest }: { listener?: object } = {},
): Promise<Started> {
  const port = await freePort();
  const daemon = await startDaemon({
    server: { workers: 1, udp: { idle_timeout: '2s' } },
    listeners: [
      { name: 'any', address: `127.0.0.1:${port}`, transport: 'udp', on_unknown: 'own', ...listener },
    ],
    upstreams: { own: { handler } },
    ...rest,
  });
  open.push(() => daemon.stop());
  return { daemon, port };
}

async function clientOf(port: number): Promise<DatagramPeer> {
  const client = await datagramClient(port);
  open.push(() => client.close());
  return client;
}

function moduleOf(text: string): string {
  const folder: TempFolder = tempFolder();
  open.push(() => folder.remove());
  const path = `${folder.path}/handler.mjs`;
  writeFileSync(path, text);
  return path;
}

describe('the built-in echo', () => {
  test('sends each datagram back, to whom it came from, in order', async () => {
    const { daemon, port } = await start('builtin:echo');
    const clients = await Promise.all(Array.from({ length: 20 }, () => clientOf(port)));
    const sent = Array.from({ length: 30 }, (_, n) => `datagram ${n}`);
    for (const text of sent) {
      for (const client of clients) await client.send(text);
      await Promise.all(clients.map((client) => client.datagram(sent.indexOf(text))));
    }
    for (const client of clients) expect(client.texts).toEqual(sent);
    const bytes = sent.join('').length;
    const [client] = clients as [DatagramPeer];
    expect(await daemon.sessionOf(client)).toMatchObject({
      reason: 'idle_timeout',
      upstream: 'own',
      bytes_up: bytes,
      bytes_down: bytes,
    });
  });

  test('takes the largest datagram, and an empty one', async () => {
    const { port } = await start('builtin:echo');
    const client = await clientOf(port);
    const largest = Buffer.alloc(65_507, 7);
    await client.send('first');
    await client.send('');
    await client.send(largest);
    await client.datagram(2);
    expect(client.received.map(({ bytes }) => bytes)).toEqual([
      Buffer.from('first'),
      Buffer.alloc(0),
      largest,
    ]);
  });

  test('serves streams and datagrams of one listener', async () => {
    const { port } = await start('builtin:echo', { listener: { transport: 'tcp+udp' } });
    const stream = (await dial(port)).send('a stream').finish();
    await stream.end();
    const client = await clientOf(port);
    expect((await client.ask('a datagram')).bytes.toString()).toBe('a datagram');
    expect(stream.received.toString()).toBe('a stream');
  });
});

describe('a module', () => {
  test('knows the session, and hears the first datagram and those behind it', async () => {
    const { port } = await start(
      moduleOf(`export default (socket, session) => {
        let count = 0;
        socket.on('message', (bytes) => {
          count += 1;
          socket.send(JSON.stringify({ count, text: String(bytes), ...session }));
        });
      };`),
    );
    const client = await clientOf(port);
    for (const text of ['one', 'two']) await client.send(text);
    await client.datagram(1);
    const answers = client.texts.map((text) => JSON.parse(text));
    expect(answers).toMatchObject([
      { count: 1, text: 'one', transport: 'udp', listener: 'any', protocol: null, source: client.address },
      { count: 2, text: 'two' },
    ]);
    expect(answers[1].id).toBe(answers[0].id);
  });

  test('gets the facts of a hello and what was held for them', async () => {
    const handler = moduleOf(`export default (socket, { protocol, facts }) => {
      socket.on('message', (bytes) => socket.send(protocol + ' ' + facts.host + ' ' + bytes.length));
    };`);
    const { port } = await start(handler, { listener: { on_unknown: 'close' }, ...routed('dns') });
    const client = await clientOf(port);
    const query = Buffer.concat([
      hex('1234 0100 0001 0000 0000 0000 01'),
      Buffer.from('a'),
      hex('07'),
      Buffer.from('example'),
      hex('00 0001 0001'),
    ]);
    expect((await client.ask(query)).bytes.toString()).toBe(`dns a.example ${query.length}`);
  });

  test('ends the flow by closing its socket, and what it had sent arrives', async () => {
    const { daemon, port } = await start(
      moduleOf(`export default (socket) => {
        socket.on('message', () => socket.send('bye', () => socket.close()));
      };`),
    );
    for (let n = 0; n < 20; n += 1) {
      const client = await clientOf(port);
      expect((await client.ask('hello')).bytes.toString()).toBe('bye');
      expect(await daemon.sessionOf(client)).toMatchObject({ reason: 'done', by: 'upstream', bytes_down: 3 });
    }
  });

  test('hears of the end of its flow, and what it sends then is lost without harm', async () => {
    const { daemon, port } = await start(
      moduleOf(`export default (socket) => {
        socket.on('message', () => socket.send('heard'));
        socket.on('close', () => {
          socket.send('too late', (error) => console.error('late', error.code));
          setTimeout(() => socket.send('later still'), 10);
        });
      };`),
    );
    const client = await clientOf(port);
    await client.ask('hello');
    expect(await daemon.sessionOf(client)).toMatchObject({ reason: 'idle_timeout' });
    await eventually('the word of the handler', () =>
      daemon.stderr.includes('late ERR_SOCKET_DGRAM_NOT_RUNNING'),
    );
    expect((await (await clientOf(port)).ask('again')).bytes.toString()).toBe('heard');
    expect(await daemon.metric('anyport_worker_restarts_total')).toBe(0);
    expect(client.texts).toEqual(['heard']);
  });

  test.each([
    { why: 'throws', text: `throw new Error('broken')` },
    { why: 'rejects', text: `return Promise.reject(new Error('broken'))` },
    { why: 'has a socket that fails', text: `socket.emit('error', new Error('broken'))` },
  ])('that $why ends its flow, and serves the next one', async ({ text }) => {
    const { daemon, port } = await start(
      moduleOf(`let count = 0;
      export default (socket, session) => {
        count += 1;
        if (count === 1) { ${text}; }
        else socket.on('message', (bytes) => socket.send(bytes));
      };`),
    );
    const client = await clientOf(port);
    await client.send('hello');
    expect(await daemon.sessionOf(client)).toMatchObject({ reason: 'handler_error', error: 'Error: broken' });
    expect((await (await clientOf(port)).ask('again')).bytes.toString()).toBe('again');
    expect(client.received).toEqual([]);
  });
});

const routed = (protocol: string) => ({ routes: [{ when: { protocol }, to: 'own' }] });

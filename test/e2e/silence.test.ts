/** Silent clients: routed by `on_silence`; bytes sent later reach the endpoint unchanged. */
import { randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { freePort } from '../support/ports.js';
import { dial, listenTcp, type Peer, type Upstream } from '../support/tcp.js';
import { type TempFolder, tempFolder } from '../support/temp.js';
import { eventually } from '../support/wait.js';

const greeting = '220 mail.example.com ESMTP\r\n';
const header = 'PROXY TCP4 192.0.2.7 192.0.2.8 4000 25\r\n';

let daemon: Daemon | undefined;
let mail: Upstream | undefined;
let folder: TempFolder | undefined;

afterEach(async () => {
  await daemon?.stop();
  await mail?.close();
  folder?.remove();
  daemon = mail = folder = undefined;
});

/** `after`: silence until the session goes to `upstream`. */
async function start(after: string, upstream: object, listener: object = {}): Promise<number> {
  const port = await freePort();
  const front = { name: 'front', address: `127.0.0.1:${port}`, on_silence: { after, to: 'mail' } };
  daemon = await startDaemon({
    server: { identify_timeout: '60s' },
    listeners: [{ ...front, ...listener }],
    protocols: [{ name: 'Redis', target: 'mail' }],
    upstreams: { mail: upstream },
  });
  return port;
}

const headered = { proxy_protocol: { accept: true, trusted: ['127.0.0.1'] } };

test.each([
  { why: 'at once', listener: {}, opening: '' },
  { why: 'behind a PROXY header', listener: headered, opening: header },
])('a client that half-closes without a byte, $why, is silent: it gets the greeting', async (each) => {
  mail = await listenTcp((peer) => {
    peer.send(greeting).finish();
  });
  // Longer than the test: only the client's FIN can route it.
  const port = await start('50s', { endpoints: [mail.target] }, each.listener);
  const client = (await dial(port)).send(each.opening).finish();
  expect(await client.end()).toBe('fin');
  expect(client.received.toString()).toBe(greeting);
  expect(await (await mail.peer(0)).end()).toBe('fin');
  expect((await daemon?.ended(1))?.[0]).toMatchObject({ upstream: 'mail', reason: 'done', bytes_up: 0 });
});

test('half a PROXY header and no more is no silence', async () => {
  mail = await listenTcp();
  const port = await start('50s', { endpoints: [mail.target] }, headered);
  const client = (await dial(port)).send(header.slice(0, 12)).finish();
  expect(await client.end()).toBe('reset');
  expect((await daemon?.ended(1))?.[0]).toMatchObject({ reason: 'rejected' });
});

test('what a client says just as its silence is over reaches the handler as it was sent', async () => {
  folder = tempFolder();
  const begun = (count: number) => `${folder?.path}/begun-${count}`;
  // While the thread is busy with one client, the next one, whose silence is over too, may start to send.
  writeFileSync(
    `${folder.path}/busy.mjs`,
    `import { writeFileSync } from 'node:fs';
     const pause = new Int32Array(new SharedArrayBuffer(4));
     let count = 0;
     export default (socket) => {
       writeFileSync(new URL('./begun-' + ++count, import.meta.url), '');
       Atomics.wait(pause, 0, 0, 400);
       socket.pipe(socket);
     };`,
  );
  const port = await start('300ms', { handler: `${folder.path}/busy.mjs` }, headered);
  const clients: Peer[] = [];
  const connect = async () => clients.push((await dial(port)).send(header));
  await connect();
  await eventually('the first one to be served', () => existsSync(begun(1)));
  for (let n = 0; n < 4; n += 1) await connect();
  await eventually('the others to be served', () => existsSync(begun(2)));
  const sent = randomBytes(1 << 20);
  for (const client of clients) client.send(sent).finish();
  for (const client of clients) {
    await client.end();
    expect(client.received.equals(sent)).toBe(true);
  }
});

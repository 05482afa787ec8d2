/** The built daemon with its data plane on the test's own thread. */
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { afterEach, expect, test } from 'vitest';
import { createLogger } from '../../src/base/log.js';
import type { HandlerSession } from '../../src/handlers/handler.js';
import type { Config } from '../../src/model/config.js';
import type { Daemon } from '../../src/primary/daemon.js';
import { linesOf } from '../support/lines.js';
import { openFiles } from '../support/proc.js';
import { dial, type Peer } from '../support/tcp.js';
import { eventually } from '../support/wait.js';
import { configOf, noSource } from './config.js';

const dist = new URL('../../dist/primary/daemon.js', import.meta.url).href;
const { Daemon: Built } = (await import(dist)) as { Daemon: typeof Daemon };

type Closure = (socket: Duplex, session: HandlerSession) => unknown;

const daemons: Daemon[] = [];
afterEach(async () => {
  await Promise.all(daemons.splice(0).map((daemon) => daemon.close()));
});

const quiet: Config['monitoring'] = { metrics: null, health: null };

async function open(handler: Closure) {
  const config = configOf({ server: { workers: 1 }, monitoringPort: 1, handler: 'local:1' });
  const lines: string[] = [];
  const write = (written: string | Uint8Array) => void lines.push(...linesOf(written));
  const log = createLogger({ level: 'info', write });
  const local = new Map<string, unknown>([['local:1', handler]]);
  const options = {
    version: '1.2.3',
    log,
    write,
    linesDropped: () => 0,
    movesPorts: false,
    local,
    source: noSource,
  };
  const daemon = await Built.open({ ...config, monitoring: quiet }, options, new AbortController().signal);
  daemons.push(daemon);
  const port = () => Number(daemon.listeners[0]?.address.split(':').at(-1));
  return { daemon, lines, client: () => dial(port()) };
}

async function start(handler: Closure) {
  const opened = await open(handler);
  await opened.daemon.start();
  return opened;
}

async function echoes(peer: Peer): Promise<void> {
  peer.send('hello');
  expect(String(await peer.bytes(peer.length + 5))).toContain('hello');
}

const echo: Closure = (socket) => socket.on('error', () => {}).pipe(socket);

test('a handler is a function of this thread, with its variables', async () => {
  const seen: string[] = [];
  const { client, daemon, lines } = await start((socket, session) => {
    seen.push(session.listener);
    echo(socket, session);
  });
  const peer = await client();
  await echoes(peer);
  expect(seen).toEqual(['front']);
  expect(daemon.snapshot()).toMatchObject({ activeConnections: 1, workers: { wanted: 1, accepting: 1 } });
  peer.finish();
  expect(await peer.end()).toBe('fin');
  await eventually('the line of the session', () => lines.some((line) => line.includes('"reason":"done"')));
});

test('nothing is installed in the process', async () => {
  const events = ['unhandledRejection', 'uncaughtException', 'SIGTERM', 'SIGHUP', 'exit', 'warning'];
  const counts = () => events.map((event) => process.listenerCount(event));
  const before = counts();
  await start(echo);
  expect(counts()).toEqual(before);
  expect(process.hasUncaughtExceptionCaptureCallback()).toBe(false);
});

test('a close resets the client, and is an error to the handler, not an end', async () => {
  const ends: string[] = [];
  const { client, daemon } = await start((socket) => {
    socket.on('error', ({ code }: NodeJS.ErrnoException) => ends.push(code ?? ''));
    socket.on('end', () => ends.push('end'));
    socket.pipe(socket);
  });
  const peer = await client();
  await echoes(peer);
  await daemon.close();
  expect(await peer.end()).toBe('reset');
  await eventually('the handler to hear of it', () => ends.length > 0);
  expect(ends).toEqual(['ECONNRESET']);
});

test('a drain waits for the session, and a close gives every descriptor back', async () => {
  const before = openFiles(process.pid);
  const { client, daemon } = await start(echo);
  const peer = await client();
  await echoes(peer);
  const drained = daemon.drain();
  await echoes(peer);
  peer.finish();
  expect(await drained).toBe(true);
  await daemon.close();
  await once(peer.socket, 'close');
  await eventually('every file to be closed', () => openFiles(process.pid) <= before);
});

test('a close during the start ends it, and nothing accepts', async () => {
  const before = openFiles(process.pid);
  const { daemon } = await open(echo);
  const started = expect(daemon.start()).rejects.toThrow('told to end');
  await daemon.close();
  await started;
  await eventually('every file to be closed', () => openFiles(process.pid) <= before);
});

test('a function that is not there is a start that fails', async () => {
  const { daemon } = await open(undefined as unknown as Closure);
  await expect(daemon.start()).rejects.toThrow('must be a function');
});

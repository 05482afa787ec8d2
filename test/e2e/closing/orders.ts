/** How one side of a connection ends, and what the other side sees of it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { queuesOf } from '../../support/proc.js';
import { cleanEnvironment, collect } from '../../support/process.js';
import { Peer } from '../../support/tcp.js';
import { eventually, within } from '../../support/wait.js';
import { connectTo, listenAt, OPENING, write } from './end.mjs';

export type Side = 'client' | 'server';

/**
 * Beside FIN and RST: a close of both ways, and the death of the process, with everything read or something left. What
 * is left unread makes a reset of it, on Unix sockets too.
 */
export const acts = ['fin', 'close', 'close, unread', 'reset', 'death', 'death, unread'] as const;
export type Act = (typeof acts)[number];

/** Bytes of its own that the actor has sent: none, more than the other side has read, or all of them read. */
export const moments = { before: 0, during: 150_000, after: 1000 } as const;
export type Moment = keyof typeof moments;

export interface Order {
  readonly actor: Side;
  readonly act: Act;
  readonly moment: Moment;
}

/** Where the client connects to, and where the server listens: the same for a direct connection. */
export interface Way {
  readonly front: string;
  readonly back: string;
}

const LEFT = 'left unread';
const ANSWER = 'answer';

/** For what is still passed on where nobody can see it arrive: on Unix sockets, and ends. */
const ARRIVAL_MS = 200;

/** What the other side sees, in words. */
export async function seen(order: Order, way: Way): Promise<string> {
  const { actor, act, moment } = order;
  const isDeath = act.startsWith('death');
  const leaves = act.endsWith('unread');
  const { client, server, child } = await ends(order, way, isDeath);
  const mine = actor === 'client' ? client : server;
  const theirs = (actor === 'client' ? server : client) as Socket;
  const observer = new Peer(theirs);
  if (moment !== 'during') theirs.resume();
  else theirs.pause();
  if (leaves && actor === 'client') theirs.write(LEFT);
  if (mine !== undefined && !leaves) mine.on('data', () => {}).resume();
  if (mine !== undefined) await within('the bytes to be written', write(mine, moments[moment]));
  const expected = moments[moment] + (actor === 'client' ? OPENING.length : 0);
  if (moment !== 'during') await observer.bytes(expected);
  await arrived(order, way);
  if (child !== undefined) await kill(child);
  else if (mine !== undefined) perform(act, mine);
  if (moment === 'during') {
    await sleep(ARRIVAL_MS);
    theirs.resume();
  }
  const ended = await within(`the end after ${JSON.stringify(order)}`, observer.ended);
  const isTcp = isPort(actor === 'client' ? way.back : way.front);
  const hidden = ended === 'fin' && act !== 'fin' && isTcp && (await refusesBytes(theirs));
  const ending = hidden ? 'reset' : ended;
  const bytes = observer.length === expected ? 'all' : observer.length === 0 ? 'none' : 'part';
  const answered = act === 'fin' && mine !== undefined ? await answers(theirs, mine) : '';
  theirs.destroy();
  mine?.destroy();
  return `${bytes}, ${ending}${answered}`;
}

/** What the actor has sent is with the relay, and what it is to leave unread is with its own kernel. */
async function arrived({ actor, act, moment }: Order, { front, back }: Way): Promise<void> {
  const address = actor === 'client' ? front : back;
  if (isPort(address)) {
    const own = () => queuesOf(actor === 'client' ? { remote: Number(address) } : { local: Number(address) });
    const isDirect = front === back;
    if (moment === 'during' && !isDirect) await eventually('all to be sent', () => own().unsent === 0);
    if (act.endsWith('unread')) await eventually('something to leave', () => own().unread > 0);
  }
  await sleep(ARRIVAL_MS);
}

async function ends({ actor, act, moment }: Order, { front, back }: Way, isDeath: boolean) {
  const reads = act.endsWith('unread') ? 'leaves' : 'reads';
  const args = [`${moments[moment]}`, reads];
  if (isDeath && actor === 'server') {
    const child = await start(['listen', back, ...args], 'listening');
    const client = await connectTo(front);
    await said(child, 'ready');
    return { client, child: child.process };
  }
  let isListening = false;
  const accepted = listenAt(back, () => {
    isListening = true;
  });
  await eventually('the server', () => isListening);
  if (!isDeath) {
    const client = await connectTo(front);
    return { client, server: await within('the connection', accepted) };
  }
  const child = await start(['connect', front, ...args], 'ready');
  return { server: await within('the connection', accepted), child: child.process };
}

const isPort = (address: string): boolean => /^\d+$/.test(address);

/** Node (libuv) takes RST for FIN if it comes behind unread bytes; a write tells: after a FIN it succeeds. */
export const refusesBytes = (socket: Socket): Promise<boolean> =>
  new Promise((resolve) => socket.write('?', (error) => resolve(error instanceof Error)));

function perform(act: Act, socket: Socket): void {
  if (act === 'fin') socket.end();
  else if (act === 'reset') socket.resetAndDestroy();
  else socket.destroy();
}

/** After a FIN the other way is still open. */
async function answers(from: Socket, to: Socket): Promise<string> {
  let text = '';
  to.on('data', (chunk) => {
    text += chunk;
  });
  from.end(ANSWER);
  await eventually('the answer', () => text.endsWith(ANSWER) || to.closed || to.readableEnded);
  return text.endsWith(ANSWER) ? ', answers' : ', can not answer';
}

interface Child {
  readonly process: ChildProcess;
  readonly output: () => string;
}

async function start(args: readonly string[], word: string): Promise<Child> {
  const path = resolve('test/e2e/closing/end.mjs');
  const child = spawn(process.execPath, [path, ...args], { env: cleanEnvironment(), stdio: 'pipe' });
  const started = { process: child, output: collect(child.stdout) };
  await said(started, word);
  return started;
}

const said = ({ output }: Child, word: string) => eventually(word, () => output().includes(word));

async function kill(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

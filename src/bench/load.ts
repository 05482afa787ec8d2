/**
 * The native program of the load (native/load): an endpoint that is relayed to, and clients that compare every byte of
 * every answer. It is a process of its own, so that the daemon carries nothing of it.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Buckets } from './latency.js';

/** Beside the addon. */
export const loadProgram = fileURLToPath(new URL('../../build/Release/anyport-load', import.meta.url));

/** What became of a load that did not go well: answers were wrong, or there were none. */
export class LoadFailure extends Error {}

export interface Endpoint {
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Of load and endpoint each: half of the cores that the workers leave, shared by the two. */
export const threadsBeside = (workers: number): number =>
  Math.min(16, Math.max(1, Math.floor((availableParallelism() - workers) / 2)));

export interface EndpointArguments {
  readonly threads: number;
  /** What every connection begins with, in hexadecimal digits. */
  readonly opening?: string;
  /** A file of what clients say (native/load/openings.h), if they say nothing else. */
  readonly openings?: string;
  /** A file of what sessions do (native/load/script.h), which open as in the file `openings`. */
  readonly scripts?: string;
  /** 1: it takes these, and no connections. */
  readonly datagrams?: 1;
}

export async function startEndpoint(args: EndpointArguments): Promise<Endpoint> {
  const program = start('endpoint', { ...args });
  const port = Number((await program.line()).replace('port=', ''));
  return {
    port,
    pid: program.pid,
    async stop() {
      program.release();
      await program.ended;
    },
  };
}

/** As native/load/main.cc takes them. */
export interface ClientArguments {
  readonly kind: 'ping' | 'visit' | 'download' | 'upload' | 'flow' | 'hold';
  readonly port: number;
  readonly connections: number;
  readonly threads: number;
  readonly bytes?: number;
  readonly opening?: string;
  readonly openings?: string;
  /** How a message begins, in hexadecimal digits. */
  readonly head?: string;
  /** Arrivals per second; absent: each client goes on when it is answered. */
  readonly rate?: number;
  readonly warmup_ms?: number;
  readonly window_ms?: number;
  readonly cpu_of?: string;
}

/** What was counted in the window. */
export interface Counted {
  /** CPU nanoseconds of the processes that were named, and last of the load itself. */
  readonly cpu: readonly number[];
  readonly units: number;
  readonly bytes: number;
  /** Of an open load: due in the window, and not finished two seconds after it. Of a closed one: clients that hear nothing. */
  readonly unfinished: number;
  /** Datagrams that have not come back within a second. */
  readonly lost: number;
  readonly latency: Buckets;
}

/** Throws a LoadFailure where an answer is wrong. */
export async function runClients(args: ClientArguments): Promise<Counted> {
  const program = start('client', { ...args });
  const counted = JSON.parse(await program.line()) as Counted;
  program.release();
  await program.ended;
  return counted;
}

/** As native/load/main.cc takes them. */
export interface ReplayArguments {
  readonly scripts: string;
  readonly openings: string;
  readonly ports: string;
  readonly connections: number;
  readonly threads: number;
  readonly span_us: number;
  readonly slices: number;
  readonly cpu_of: string;
}

/** Of a whole replay. Times in nanoseconds, without those of sessions that were open by its beginning. */
export interface Acted {
  /** From the beginning to the last end. */
  readonly took: number;
  /** Sessions at once. */
  readonly most: number;
  /** CPU nanoseconds of the processes that were named, and last of the load itself. */
  readonly cpu: readonly number[];
  readonly sessions: number;
  readonly up: number;
  readonly down: number;
  /** How much later than due sessions began. */
  readonly late: Buckets;
  /** Of exchanges, from when each was due. */
  readonly answers: Buckets;
  readonly durations: Buckets;
  readonly slices: readonly { readonly ended: number; readonly answers: Buckets }[];
}

/** Throws a LoadFailure where an answer is wrong. */
export async function runReplay(args: ReplayArguments): Promise<Acted> {
  const program = start('replay', { ...args });
  const acted = JSON.parse(await program.line()) as Acted;
  program.release();
  await program.ended;
  return acted;
}

export interface Held {
  /** Asks on every connection once more; throws a LoadFailure where one is gone or answers wrongly. */
  release(): Promise<void>;
}

/** Opens connections that stay, each after a round trip. */
export async function holdClients(args: ClientArguments): Promise<Held> {
  const program = start('client', { ...args, kind: 'hold' });
  await program.line();
  return {
    async release() {
      program.release();
      await program.ended;
    },
  };
}

/** Ends every program of the load that still runs. */
export function stopLoads(): void {
  for (const child of running) child.kill('SIGKILL');
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

const running = new Set<Child>();

function start(mode: 'endpoint' | 'client' | 'replay', args: Readonly<Record<string, string | number>>) {
  if (!existsSync(loadProgram)) {
    throw new LoadFailure(`${loadProgram} is missing: \`npm rebuild anyport\` builds it`);
  }
  const words = Object.entries(args).map(([name, value]) => `${name}=${value}`);
  const child: Child = spawn(loadProgram, [mode, ...words], { stdio: 'pipe' });
  running.add(child);
  let errors = '';
  child.stderr.on('data', (text) => {
    errors += text;
  });
  child.stdin.on('error', () => {}); // it may end before it is told to
  const closed = once(child, 'close').then(([status]) => {
    running.delete(child);
    if (status !== 0) throw new LoadFailure(errors.trim() || `the load ended with ${status}`);
  });
  closed.catch(() => {}); // told by whoever waits
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    pid: child.pid ?? -1,
    /** Its next line; throws when it ends without one. */
    async line(): Promise<string> {
      const { value, done } = await lines.next();
      if (!done) return value;
      await closed;
      throw new LoadFailure('the load ended early');
    },
    release: () => void child.stdin.end(),
    ended: closed,
  };
}

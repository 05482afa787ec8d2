/** Steady load on a daemon while it changes: the programs of bench/system/load, compiled when first used. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, renameSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { freePort } from './ports.js';
import { cleanEnvironment, collect, type Running, runProgram, startProgram } from './process.js';
import { eventually, within } from './wait.js';

const SOURCES = resolve('bench/system/load');
const SHARED = resolve('native/load');
const PROGRAMS = resolve('build-bench/load');

export interface LoadShape {
  /** Short sessions a second, or what the machine gives; 0: none. */
  readonly rate: number;
  /** Sessions that stay open. */
  readonly long: number;
  /** Between two round trips of a long session; 0: each as soon as the last is answered. */
  readonly intervalMs: number;
}

/** What bench/system/load/steady.cc prints; times in microseconds. */
export type LoadFigures = Readonly<
  Record<
    | 'seconds'
    | 'sessions'
    | 'failed'
    | 'long'
    | 'cut'
    | 'pings'
    | 'ping_p50_us'
    | 'ping_p99_us'
    | 'ping_p999_us'
    | 'ping_max_us'
    | 'session_p99_us'
    | 'session_p999_us',
    number
  >
>;

export interface SteadyLoad {
  /** Lets what is under way finish. `failures`: what went wrong, the first of it. */
  stop(): Promise<LoadFigures & { readonly failures: string }>;
  kill(): void;
}

/** Programs that this process has asked for: one is compiled once, however many want it at the same time. */
const provided = new Map<string, Promise<string>>();

/** Path of a program of bench/system/load, compiled if need be. */
export function provide(name: string): Promise<string> {
  const program = provided.get(name) ?? compiled(name);
  provided.set(name, program);
  return program;
}

/** Path of the program, compiled unless it is newer than its sources. */
async function compiled(name: string): Promise<string> {
  const program = `${PROGRAMS}/${name}`;
  const source = `${SOURCES}/${name}.cc`;
  const headers = [SOURCES, SHARED].flatMap((folder) =>
    readdirSync(folder)
      .filter((file) => file.endsWith('.h'))
      .map((file) => `${folder}/${file}`),
  );
  const changedMs = Math.max(...[source, ...headers].map(modifiedMs));
  if (modifiedMs(program) > changedMs) return program;
  mkdirSync(PROGRAMS, { recursive: true });
  // Renamed, because another test may be compiling it too.
  const made = `${program}.${process.pid}`;
  const { status, stderr } = await runProgram('g++', ['-std=c++20', '-O2', '-Inative', '-o', made, source]);
  if (status !== 0) throw new Error(stderr);
  renameSync(made, program);
  return program;
}

const modifiedMs = (file: string): number => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;

/** Echoes; costs little beside the daemon. `at`: the port of one that has gone. */
export async function startEndpoint(
  at?: number,
): Promise<Running & { readonly port: number; readonly target: string }> {
  const port = at ?? (await freePort());
  const running = await startProgram(await provide('endpoint'), [`${port}`], port);
  return { ...running, port, target: `127.0.0.1:${port}` };
}

/** Redis round trips on these ports; resolves when each long session has had one. `wrapper`: command that runs the load. */
export async function startLoad(
  ports: readonly number[],
  { rate, long, intervalMs }: LoadShape,
  wrapper: readonly string[] = [],
): Promise<SteadyLoad> {
  const load = [...wrapper, await provide('steady'), ports.join(), rate, long, intervalMs].map(String);
  const [command = '', ...args] = load;
  const child = spawn(command, args, { env: cleanEnvironment(), stdio: 'pipe' });
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  const ended = once(child, 'close');
  child.stdin.on('error', () => {});
  await eventually('every long session', () => {
    if (child.exitCode !== null) throw new Error(`the load has ended: ${stderr()}`);
    return stdout().includes('ready');
  });
  return {
    async stop() {
      child.stdin.end();
      await within('the load to finish', ended);
      const figures = [...stdout().matchAll(/(\w+)=([\d.]+)/g)].map(([, name, value]) => [
        name,
        Number(value),
      ]);
      if (figures.length === 0) throw new Error(`the load has died: ${stderr()}`);
      return { ...Object.fromEntries(figures), failures: stderr() };
    },
    kill: () => child.kill('SIGKILL'),
  };
}

/** Throws if a session failed; `refuses`: short ones may. */
export function checkLoad(figures: LoadFigures & { readonly failures: string }, refuses = false): void {
  if (figures.cut > 0 || (figures.failed > 0 && !refuses))
    throw new Error(
      `normal sessions: ${figures.failed} of the short and ${figures.cut} of the long failed: ${figures.failures}`,
    );
}

/** Other programs: run to their end, or kept running until they are ready and then stopped. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { isBoundUdp } from './proc.js';
import { eventually, within } from './wait.js';

export interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A preloaded sanitizer is for the daemon only, not for servers and clients around it. */
export function cleanEnvironment(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const { LD_PRELOAD: _, ...rest } = process.env;
  return { ...rest, ...extra };
}

/**
 * The command, to be killed when the process that starts it dies: a test run that is killed leaves no server behind.
 * A program that changes its own user stays: the kernel forgets the signal then.
 */
export const dyingWithUs = (command: readonly string[]): string[] => [
  'setpriv',
  ...['--pdeathsig', 'KILL', '--'],
  ...command,
];

/** Runs a program to its end; `input` is its standard input. */
export async function runProgram(
  command: string,
  args: readonly string[],
  options: { input?: string | Buffer; cwd?: string; env?: NodeJS.ProcessEnv; limitMs?: number } = {},
): Promise<Finished> {
  const child = spawn(command, args, { env: cleanEnvironment(), ...options, stdio: 'pipe' });
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  child.stdin.on('error', () => {}); // the program may end before it has read its input
  child.stdin.end(options.input ?? '');
  const [status] = (await within(`${command} to end`, once(child, 'close'), options.limitMs ?? 110_000)) as [
    number | null,
  ];
  return { status, stdout: stdout(), stderr: stderr() };
}

/** Collects a stream; the returned function gives the text so far. */
export function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString('utf8');
}

export interface Running {
  readonly pid: number;
  readonly child: ChildProcess;
  stop(): Promise<void>;
}

/** Starts a server program and waits until it accepts on `port`. */
export const startProgram = (
  command: string,
  args: readonly string[],
  port: number,
  options: SpawnOptions = {},
): Promise<Running> => startUntil(() => accepts(port), command, args, options);

/** Starts a server program of datagrams and waits until it has bound `port`. */
export const startDatagramProgram = (
  command: string,
  args: readonly string[],
  port: number,
  options: SpawnOptions = {},
): Promise<Running> => startUntil(() => isBoundUdp(port), command, args, options);

async function startUntil(
  ready: () => boolean | Promise<boolean>,
  command: string,
  args: readonly string[],
  options: SpawnOptions,
): Promise<Running> {
  const [program = '', ...rest] = dyingWithUs([command, ...args]);
  const child = spawn(program, rest, {
    env: cleanEnvironment(),
    stdio: ['ignore', 'ignore', 'pipe'],
    ...options,
  });
  const errors = child.stderr ? collect(child.stderr) : () => '';
  await eventually(`${command} ${args.join(' ')} to serve`, async () => {
    if (child.exitCode !== null) throw new Error(`${command} ended with ${child.exitCode}: ${errors()}`);
    return ready();
  });
  return { pid: child.pid ?? -1, child, stop: () => stopProcess(child) };
}

export async function stopProcess(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill(signal);
  await within(`process ${child.pid} to end`, once(child, 'exit'));
}

/** Whether a loopback port accepts connections. */
export async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

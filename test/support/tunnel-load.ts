/** Transfers and round trips through a tunnel, every byte checked: bench/system/load/tunnel_client.cc and endpoint.cc. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cleanEnvironment, collect, stopProcess } from './process.js';
import { provide } from './steady.js';
import { within } from './wait.js';

export type Direction = 'down' | 'up';

export interface Transferred {
  readonly seconds: number;
  /** The longest time without a byte. */
  readonly stallMs: number;
}

/** The machine may be busy with something else; the program has patience of its own. */
const FINISH_MS = 200_000;

async function run(port: number, ...words: readonly string[]): Promise<string> {
  const program = await provide('tunnel_client');
  const child = spawn(program, [`port=${port}`, ...words], { env: cleanEnvironment(), stdio: 'pipe' });
  const [said, failed] = [collect(child.stdout), collect(child.stderr)];
  const closed = once(child, 'close') as Promise<[number | null]>;
  const [status] = await within(`tunnel_client ${words.join(' ')}`, closed, FINISH_MS).catch((error) => {
    child.kill('SIGKILL');
    throw error;
  });
  if (status !== 0) throw new Error(`tunnel_client ${words.join(' ')}: ${failed().trim()}`);
  return said();
}

/** `times` transfers of `bytes`, one after the other. Fails unless every byte comes. */
export async function transfer(
  port: number,
  direction: Direction,
  bytes: number,
  times = 1,
): Promise<Transferred> {
  const verb = direction === 'down' ? 'fetch' : 'store';
  const said = await run(port, `${verb}=${bytes}`, `times=${times}`);
  const figure = (name: string) => Number(new RegExp(`${name}=([\\d.]+)`).exec(said)?.[1]);
  return { seconds: figure('seconds'), stallMs: figure('stall_us') / 1000 };
}

/** Round trips of 64 bytes on one connection, one at a time, `least` of them: how long each took, in milliseconds. */
export async function roundTrips(port: number, forMs: number, least = 1): Promise<number[]> {
  const said = await run(port, `ping=${forMs}`, `times=${least}`);
  const list = /us=([\d,]*)/.exec(said)?.[1] ?? '';
  return list.split(',').map((us) => Number(us) / 1000);
}

export interface Held {
  /** Fails unless all stayed open and silent. */
  leave(): Promise<void>;
  /** Ends them at once, if they are still there. */
  stop(): Promise<void>;
}

/** Connections with one round trip each, which then are idle. */
export async function hold(port: number, connections: number): Promise<Held> {
  const program = await provide('tunnel_client');
  const args = [`port=${port}`, `hold=${connections}`];
  const child = spawn(program, args, { env: cleanEnvironment(), stdio: 'pipe' });
  const [said, failed] = [collect(child.stdout), collect(child.stderr)];
  const closed = once(child, 'close') as Promise<[number | null]>;
  const first = once(child.stdout, 'data');
  await within('all connections to be idle', Promise.race([first, closed]), FINISH_MS).catch((error) => {
    child.kill('SIGKILL');
    throw error;
  });
  if (!said().includes('held')) throw new Error(`tunnel_client hold=${connections}: ${failed().trim()}`);
  return {
    async leave() {
      child.stdin.end();
      const [status] = await within('the connections to leave', closed);
      if (status !== 0) throw new Error(`tunnel_client hold=${connections}: ${failed().trim()}`);
    },
    stop: () => stopProcess(child, 'SIGKILL'),
  };
}

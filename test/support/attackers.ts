/** Attackers at a daemon: bench/system/load/attacker.cc, bounded and on loopback. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cleanEnvironment, collect } from './process.js';
import { provide } from './steady.js';
import { within } from './wait.js';

/** Arguments of attacker.cc around the port. */
export type Orders = readonly [
  mode: 'drip' | 'knock' | 'garbage',
  connections: number,
  /** Kinds of `drip`, or how many connections in all; 0: until they are stopped. */
  rest: string | number,
];

/** Where attackers come from. */
export const ATTACKERS = '127.0.66.0/24';

/** As many at once as told, of these kinds in turn: an opening, and what follows each second (empty: silence). */
export const drip = (
  connections: number,
  ...kinds: readonly (readonly [opening: string, drip: string])[]
): Orders => ['drip', connections, kinds.map(([opening, more]) => `${hex(opening)}:${hex(more)}`).join()];

const hex = (latin1: string): string => Buffer.from(latin1, 'latin1').toString('hex');

export interface Attacked {
  /** Connections that were open. */
  readonly opened: number;
  /** Those that the kernel did not answer. */
  readonly unanswered: number;
  /** Those that the other side has ended. */
  readonly ended: number;
  readonly seconds: number;
}

export interface Attackers {
  /** They leave; those with a number finish it. Fails if one was answered. */
  stop(): Promise<Attacked>;
}

const STOP_MS = 240_000;

/** `nice`: a priority at which attackers do not take the cores of a load that is measured beside them. */
export async function startAttackers(
  port: number,
  [mode, connections, rest]: Orders,
  { nice = 0 }: { nice?: number } = {},
): Promise<Attackers> {
  const args = ['-n', `${nice}`, await provide('attacker'), mode, `${port}`, `${connections}`, `${rest}`];
  const child = spawn('nice', args, { env: cleanEnvironment(), stdio: 'pipe' });
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  const ended = once(child, 'close') as Promise<[number | null]>;
  child.stdin.on('error', () => {}); // they may have finished
  await Promise.race([once(child.stdout, 'data'), ended]);
  return {
    async stop() {
      if (mode === 'drip' || Number(rest) === 0) child.stdin.end();
      const [status] = await within('attackers to finish', ended, STOP_MS);
      if (status !== 0) throw new Error(`attackers: ${stderr()}`);
      const figures = [...stdout().matchAll(/(\w+)=([\d.]+)/g)];
      return Object.fromEntries(
        figures.map(([, name, value]) => [name, Number(value)]),
      ) as unknown as Attacked;
    },
  };
}

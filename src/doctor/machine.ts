/** What the checks may ask of this machine. They reach it in no other way, so that each is tested with recorded texts. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

export interface Machine {
  /** A file of /proc or /sys; null: there is none, or it may not be read. */
  read(path: string): string | null;
  /** Names in a folder there; empty likewise. */
  list(path: string): readonly string[];
  /** What a command prints; null: it is not installed, or fails. */
  run(command: string, ...args: readonly string[]): string | null;
  /** CPUs that this process may use. */
  readonly cores: number;
}

/** A command that answers from the kernel takes milliseconds. */
const COMMAND_MS_MAX = 2000;

export const thisMachine: Machine = {
  read: (path) => orNull(() => readFileSync(path, 'utf8')),
  list: (path) => orNull(() => readdirSync(path)) ?? [],
  run: (command, ...args) =>
    orNull(() =>
      execFileSync(command, args, {
        encoding: 'utf8',
        timeout: COMMAND_MS_MAX,
        stdio: ['ignore', 'pipe', 'ignore'],
      }),
    ),
  cores: availableParallelism(),
};

function orNull<Value>(ask: () => Value): Value | null {
  try {
    return ask();
  } catch {
    return null;
  }
}

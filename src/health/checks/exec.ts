/** A command of the operator, without a shell: status 0 is well. */
import { type ChildProcess, spawn } from 'node:child_process';
import { isAbsolute } from 'node:path';
import type { CheckContext, HealthCheck, Outcome } from '../check.js';
import { textField } from '../fields.js';
import { meaningOf, unwell, well } from '../outcomes.js';

export interface ExecOptions {
  readonly command: string;
  readonly args: readonly string[];
}

const ARGUMENTS_MAX = 64;
const ARGUMENT_CHARS_MAX = 4096;

export const exec: HealthCheck<ExecOptions> = {
  words: 'is well according to a command, which ends with status 0',
  over: 'nothing',
  options: (zod) => {
    const wrong = { error: () => `expected a list of up to ${ARGUMENTS_MAX} arguments` };
    return {
      command: textField(
        zod,
        'Program to run, without a shell; `ANYPORT_ADDRESS`, `ANYPORT_PORT`, `ANYPORT_ENDPOINT` and `ANYPORT_UPSTREAM` tell it whom to ask',
        'absolute path of a program',
        (path) => isAbsolute(path) && !path.includes('\0'),
      ),
      args: zod
        .array(
          zod
            .string(wrong)
            .max(ARGUMENT_CHARS_MAX, { error: `expected at most ${ARGUMENT_CHARS_MAX} characters` })
            .refine((argument) => !argument.includes('\0'), { error: 'may not contain a NUL' }),
          wrong,
        )
        .max(ARGUMENTS_MAX, wrong)
        .default([])
        .meta({ description: 'Its arguments', 'x-values': 'list of texts' }),
    };
  },
  run: (line, { command, args }, context) => runCommand(command, args, context, line.signal),
};

function runCommand(
  command: string,
  args: readonly string[],
  context: CheckContext,
  signal: AbortSignal,
): Promise<Outcome> {
  return new Promise((resolve) => {
    // In a group of its own, which ends as a whole. What it writes is nobody's: no pipe that it could fill.
    const child = spawn(command, [...args], {
      cwd: '/',
      env: environmentOf(context),
      stdio: 'ignore',
      detached: true,
    });
    const kill = () => killGroup(child);
    signal.addEventListener('abort', kill, { once: true });
    if (signal.aborted) kill();
    child.once('error', (error: NodeJS.ErrnoException) => {
      signal.removeEventListener('abort', kill);
      resolve(unwell(meaningOf(faults, error.code ?? '', 'has a check whose command can not be started')));
    });
    child.once('exit', (status, killedBy) => {
      killRest(child);
      signal.removeEventListener('abort', kill);
      resolve(outcomeOf(status, killedBy));
    });
  });
}

const outcomeOf = (status: number | null, killedBy: string | null): Outcome => {
  if (status === 0) return well;
  return unwell(
    status === null ? `has a check whose command ended by ${killedBy}` : `its command ended with ${status}`,
  );
};

function killGroup(child: ChildProcess): void {
  // The number may be another process's once the command has been waited for.
  if (child.exitCode === null && child.signalCode === null) killRest(child);
}

/**
 * Also what the command left behind when it ended, which would gather with each check: the kernel gives its
 * number to nobody while a process is in its group.
 */
function killRest({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended meanwhile.
  }
}

/** Nothing of the daemon's own, which may hold secrets. */
const environmentOf = ({ host, port, endpoint, upstream }: CheckContext): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH ?? '/usr/sbin:/usr/bin:/sbin:/bin',
  LANG: 'C',
  ANYPORT_ADDRESS: host,
  ANYPORT_PORT: String(port),
  ANYPORT_ENDPOINT: endpoint,
  ANYPORT_UPSTREAM: upstream,
});

const faults: Readonly<Record<string, string>> = {
  ENOENT: 'has a check whose command is not there',
  EACCES: 'has a check whose command may not be run',
  ENOEXEC: 'has a check whose command is no program',
  EAGAIN: 'can not be asked: no process is free',
  ENOMEM: 'can not be asked: no memory is free',
  EMFILE: 'can not be asked: no descriptor is free',
  E2BIG: 'has a check whose command has too many arguments',
};

/**
 * Starts the program again for an upgrade in place: as it was started, from what is installed now. The new process
 * inherits standard input and output, and as descriptor 3 its end of the hand-over; its standard error is a pipe.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { native } from '../../addon.js';

/** Set by the launcher (bin/anyport) to its path as it was called, which may be a link that leads to another program now. */
const LAUNCHER = 'ANYPORT_LAUNCHER';

/** Tells the new process which descriptor is its end of the hand-over. */
const HANDOVER_FD = 'ANYPORT_HANDOVER_FD';

const FD = 3;

/** What tells how this process was started: `process`. */
export interface Started {
  readonly env: NodeJS.ProcessEnv;
  readonly argv: readonly string[];
  readonly execPath: string;
  readonly execArgv: readonly string[];
}

/** The command that started this process. */
export function startCommand({ env, argv, execPath, execArgv }: Started): [string, ...string[]] {
  const [, main = '', ...rest] = argv;
  const launcher = env[LAUNCHER];
  return launcher ? [launcher, ...rest] : [execPath, ...execArgv, main, ...rest];
}

/** `fd`: the new process's end of the hand-over, which this one may close afterwards. */
export function startAgain(started: Started, fd: number): ChildProcess {
  const [command, ...args] = startCommand(started);
  // Ours are close-on-exec; what this process was started with need not be.
  native.keepDescriptors();
  return spawn(command, args, {
    stdio: ['inherit', 'inherit', 'pipe', fd],
    env: { ...started.env, [HANDOVER_FD]: String(FD) },
  });
}

/** Descriptor of the hand-over that this process is started with, or null. It is not for processes started later. */
export function takeHandoverFd(env: NodeJS.ProcessEnv): number | null {
  const fd = env[HANDOVER_FD];
  delete env[HANDOVER_FD];
  return fd === String(FD) ? FD : null;
}

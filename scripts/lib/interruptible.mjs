/** Commands that end when this process is told to, so that what they need can be removed before it ends itself. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Thrown instead of starting or finishing a command. */
export class Interrupted extends Error {
  constructor(signal) {
    super(`ended by ${signal}`);
    this.exitCode = 128 + constants.signals[signal];
  }
}

/** For those that a command has started and that outlive it, such as compilers. */
const GRACE_MS = 5000;
const LOOK_MS = 50;

/** False: the group has no process left. */
function signalGroup(pid, signal) {
  try {
    return process.kill(-pid, signal);
  } catch {
    return false;
  }
}

async function groupEnds(pid) {
  for (let waited = 0; waited < GRACE_MS; waited += LOOK_MS) {
    if (!signalGroup(pid, 0)) return;
    await sleep(LOOK_MS);
  }
  signalGroup(pid, 'SIGKILL');
}

/** Takes over the signals for as long as this process lives. */
export function interruptible() {
  let received = null;
  let child = null;
  const tell = (signal) => {
    // Asked twice, nothing is waited for.
    const told = received === null ? signal : 'SIGKILL';
    received = signal;
    if (child !== null) signalGroup(child.pid, told);
  };
  for (const signal of SIGNALS) process.on(signal, tell);

  /** Runs a command on our terminal, in a process group of its own; returns its exit status. */
  return async function run(command, args, options = {}) {
    if (received !== null) throw new Interrupted(received);
    child = spawn(command, args, { stdio: 'inherit', ...options, detached: true });
    const { pid } = child;
    const [status] = await once(child, 'close');
    child = null;
    if (received === null) return status ?? 1;
    await groupEnds(pid);
    throw new Interrupted(received);
  };
}

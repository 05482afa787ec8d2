/**
 * V8's helper threads, which compile for all threads of the process, give way to sessions: during a
 * large change they are its busiest, and where cores are short workers wait behind them.
 */
import { readdirSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';

/** Steps of nice(2). Not more, because a worker may wait for a helper to finish. */
const STEPS = 5;
const NICENESS_MAX = 19;

/**
 * Lowers every thread but the calling main thread, libuv's for files included: call it before there are workers. Threads
 * that are made later have the main thread's priority.
 */
export function lowerHelperThreads(): void {
  const threads = threadsOf('/proc/self/task');
  // A /proc of another PID namespace has other numbers.
  if (!threads.includes(process.pid)) return;
  for (const thread of threads) if (thread !== process.pid) lower(thread);
}

function threadsOf(folder: string): number[] {
  try {
    return readdirSync(folder).map(Number);
  } catch {
    return [];
  }
}

function lower(thread: number): void {
  // It may have ended, or a sandbox forbids it: helpers then compete as before.
  try {
    setPriority(thread, Math.min(NICENESS_MAX, getPriority(thread) + STEPS));
  } catch {}
}

/** Polls for a condition of another process, with a time limit; the failure shows the last value seen. */
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 20;
const LIMIT_MS = 60_000;

/** Polls until `probe` returns a value other than false or undefined. */
export async function eventually<T>(
  what: string,
  probe: () => T | false | undefined | Promise<T | false | undefined>,
  limitMs = LIMIT_MS,
): Promise<T> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const answer = await probe();
    if (answer !== false && answer !== undefined) return answer;
    if (Date.now() > deadline) throw new Error(`waited ${limitMs} ms in vain: ${what}`);
    await sleep(POLL_MS);
  }
}

/** Fails with a description before the test's own time limit. */
export async function within<T>(what: string, promise: Promise<T>, limitMs = LIMIT_MS): Promise<T> {
  const cancel = new AbortController();
  const late = sleep(limitMs, undefined, { signal: cancel.signal }).then(() => {
    throw new Error(`waited ${limitMs} ms in vain: ${what}`);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    cancel.abort();
    late.catch(() => {});
  }
}

/**
 * The least that may be measured where `ms` milliseconds were waited for: timers count from the turn of the loop in
 * which they are set, and are measured by other clocks than their own.
 */
export const waited = (ms: number): number => 0.9 * ms;

/** Where cores are short, V8's helpers give way to the threads that serve sessions. */
import { readdirSync } from 'node:fs';
import { getPriority } from 'node:os';
import { expect, test } from 'vitest';
import { startDaemon } from '../support/daemon.js';

/** Of V8's threads, unless `--v8-pool-size` says otherwise. */
const HELPERS = 4;
const WORKERS = 3;

test('helpers have a lower priority than the main thread and the workers', async () => {
  const daemon = await startDaemon({ server: { workers: WORKERS } });
  try {
    const niceness = readdirSync(`/proc/${daemon.pid}/task`).flatMap(nicenessOf);
    const own = getPriority();
    expect(getPriority(daemon.pid)).toBe(own);
    expect(niceness.filter((each) => each === own).length).toBeGreaterThan(WORKERS);
    expect(niceness.filter((each) => each > own).length).toBeGreaterThanOrEqual(HELPERS);
  } finally {
    await daemon.stop();
  }
});

/** Empty if the thread has ended meanwhile, as that of the first reading does. */
function nicenessOf(thread: string): number[] {
  try {
    return [getPriority(Number(thread))];
  } catch {
    return [];
  }
}

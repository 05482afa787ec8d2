/**
 * Memory of an idle daemon before its first client: little more than Node with a second thread. Without files: of Node's own
 * binary as many pages count as resident as the machine happens to have at hand.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { startDaemon } from '../support/daemon.js';
import { privateBytes } from '../support/proc.js';
import { cleanEnvironment, stopProcess } from '../support/process.js';
import { eventually } from '../support/wait.js';

const MIB = 1 << 20;
/** Measured: 20 to 22 MiB; 12 more with the garbage of the start and V8's default young generation. */
const OWN_MAX = 24 * MIB;

const THREAD = `
  const { Worker } = require('node:worker_threads');
  new Worker('setInterval(() => {}, 1e6)', { eval: true }).once('online', () => console.log('online'));
`;

/** Memory of Node with a second thread. */
async function floor(): Promise<number> {
  const node = spawn(process.execPath, ['-e', THREAD], {
    env: cleanEnvironment(),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(node.stdout, 'data');
  const bytes = privateBytes(node.pid ?? -1);
  await stopProcess(node, 'SIGKILL');
  return bytes;
}

test('a daemon at rest with one worker', async () => {
  const least = await floor();
  const daemon = await startDaemon(
    { protocols: [{ name: 'HTTP', handler: 'builtin:http' }] },
    { asInstalled: true },
  );
  try {
    await eventually(
      `less than ${OWN_MAX / MIB} MiB above Node's ${Math.round(least / MIB)} MiB`,
      () => privateBytes(daemon.pid) - least < OWN_MAX,
    );
  } finally {
    await daemon.stop();
  }
});

const flagsOf = (pid: number): string[] => readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');

test.each([
  { options: '', flag: true },
  { options: '--max-semi-space-size=8', flag: false },
  { options: '--max_semi_space_size=8', flag: false },
])(
  'young objects are held small unless NODE_OPTIONS says how large: "$options"',
  async ({ options, flag }) => {
    const wrapper = ['env', `NODE_OPTIONS=${options}`];
    const daemon = await startDaemon(
      { protocols: [{ name: 'HTTP', handler: 'builtin:http' }] },
      { asInstalled: true, wrapper },
    );
    expect(flagsOf(daemon.pid).includes('--max-semi-space-size=1')).toBe(flag);
    await daemon.stop();
  },
);

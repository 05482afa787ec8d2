/** Runs commands on our terminal; their exit status is the result. */
import { spawn, spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

/** Returns the command's exit status (127: it could not be started). */
export function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', ...options });
  return error ? 127 : (status ?? 1);
}

/**
 * Runs the jobs on all cores, their output in one piece each. `jobs`: `{ name, command, args, options }`. Returns the names of
 * those that failed.
 */
export async function runAll(jobs, { cores = availableParallelism() } = {}) {
  const waiting = [...jobs];
  const failed = [];
  const work = async () => {
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) {
      const { status, output } = await collect(job);
      process.stdout.write(output);
      if (status !== 0) failed.push(job.name);
    }
  };
  await Promise.all(Array.from({ length: cores }, work));
  return failed;
}

function collect({ command, args, options }) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    const chunks = [];
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => chunks.push(chunk));
    child.on('error', (error) => resolve({ status: 127, output: `${command}: ${error.message}\n` }));
    child.on('close', (code) => resolve({ status: code ?? 1, output: Buffer.concat(chunks) }));
  });
}

/** Returns the command's output, or an empty text if it failed. */
export function read(command, args, options = {}) {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8', ...options });
  return status === 0 ? stdout.trim() : '';
}

/** Commands run one after the other with our terminal; the exit status is the answer. */
import { spawnSync } from 'node:child_process';

/** Runs a command to its end and returns its exit status (127: it could not be started). */
export function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', ...options });
  return error ? 127 : (status ?? 1);
}

/** Runs a command and returns what it printed, or an empty text if it failed. */
export function read(command, args, options = {}) {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8', ...options });
  return status === 0 ? stdout.trim() : '';
}

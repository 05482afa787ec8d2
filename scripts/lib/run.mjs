/** Runs commands in sequence on our terminal; their exit status is the result. */
import { spawnSync } from 'node:child_process';

/** Returns the command's exit status (127: it could not be started). */
export function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', ...options });
  return error ? 127 : (status ?? 1);
}

/** Returns the command's output, or an empty text if it failed. */
export function read(command, args, options = {}) {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8', ...options });
  return status === 0 ? stdout.trim() : '';
}

/**
 * Explains a failure to load the program: usually too few open files, because its modules are many, or no thread to
 * read the configuration on.
 */
import { readFileSync } from 'node:fs';
import { noThread } from '../base/no-thread.js';

/** Read before anything is loaded: after EMFILE this file can not be opened either. */
const limit = softLimit();

export function whyNotLoaded(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, stack, message } = error as NodeJS.ErrnoException;
  if (code === 'EMFILE') return `${limit} open files are too few: allow more, as \`ulimit -n 1024\` does`;
  if (code === 'ENFILE') return 'the system has no open files left: allow more by the sysctl fs.file-max';
  if (code === 'ERR_WORKER_INIT_FAILED') return noThread(error);
  return stack ?? message;
}

function softLimit(): string {
  try {
    return /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? 'the';
  } catch {
    return 'the';
  }
}

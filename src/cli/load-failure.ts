/** Why the program, or a part of it, could not be loaded: its modules are open files, many at once. */
import { readFileSync } from 'node:fs';

/** Read before anything is loaded: when no file can be opened any more, this one can not be either. */
const limit = softLimit();

export function whyNotLoaded(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, stack, message } = error as NodeJS.ErrnoException;
  if (code === 'EMFILE') return `${limit} open files are too few: allow more, as \`ulimit -n 1024\` does`;
  if (code === 'ENFILE') return 'the system has no open files left: allow more by the sysctl fs.file-max';
  return stack ?? message;
}

function softLimit(): string {
  try {
    return /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? 'the';
  } catch {
    return 'the';
  }
}

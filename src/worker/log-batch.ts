/** Batches finished log lines: one message per line would cost more than the line. */

const FLUSH_AFTER_MS = 50;
const BATCH_CHARACTERS_MAX = 64 * 1024;

export interface LogBatch {
  write(line: string): void;
  flush(): void;
}

export function createLogBatch(send: (lines: string) => void): LogBatch {
  let lines = '';
  let timer: NodeJS.Timeout | undefined;

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    if (lines !== '') send(lines);
    lines = '';
  }

  return {
    write(line) {
      lines += line;
      if (lines.length >= BATCH_CHARACTERS_MAX) flush();
      else timer ??= setTimeout(flush, FLUSH_AFTER_MS);
    },
    flush,
  };
}

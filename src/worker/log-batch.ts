/**
 * Batches finished log lines as bytes: one message per line would cost more than the line, and so would text, which is made
 * of many pieces until somebody needs it whole.
 */

const FLUSH_AFTER_MS = 50;
const BATCH_BYTES = 64 * 1024;
/** Of one code unit as UTF-8, at most. */
const UNIT_BYTES = 3;

export interface LogBatch {
  write(line: string): void;
  flush(): void;
}

/** `send`: takes whole lines in memory of their own. */
export function createLogBatch(send: (lines: Uint8Array<ArrayBuffer>) => void): LogBatch {
  const lines = Buffer.from(new ArrayBuffer(BATCH_BYTES));
  let used = 0;
  let timer: NodeJS.Timeout | undefined;

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    if (used > 0) send(new Uint8Array(lines.subarray(0, used)));
    used = 0;
  }

  return {
    write(line) {
      const bytesMax = line.length * UNIT_BYTES;
      if (bytesMax > BATCH_BYTES - used) flush();
      if (bytesMax > BATCH_BYTES) return send(new TextEncoder().encode(line));
      used += lines.write(line, used);
      timer ??= setTimeout(flush, FLUSH_AFTER_MS);
    },
    flush,
  };
}

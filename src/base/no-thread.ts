/** Why a thread was not started, and what to allow: `new Worker` throws ERR_WORKER_INIT_FAILED at a limit of threads. */
export const noThread = (error: unknown): string =>
  `can not start a thread (${error instanceof Error ? error.message : error}): allow more, as \`ulimit -u\` or TasksMax of systemd does`;

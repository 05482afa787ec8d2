/**
 * SIGUSR1 is ours: Node opens its debugger on it, on 127.0.0.1:9229, for every user of the machine. A handler of our
 * own takes its place; a debugger that a signal has opened before this ran is closed again.
 */

/** The thread of Node that opens the debugger may be late. */
const LATE_MS = 250;

const wanted = [...process.execArgv, ...(process.env.NODE_OPTIONS ?? '').split(' ')].some((option) =>
  /^--inspect(-brk|-wait)?(=|$)/.test(option),
);

/** For the life of the process. Whoever acts on the signal listens as well. */
export function keepDebuggerClosed(): void {
  process.on('SIGUSR1', () => {});
  if (wanted) return;
  closeDebugger();
  setImmediate(closeDebugger).unref();
  setTimeout(closeDebugger, LATE_MS).unref();
}

function closeDebugger(): void {
  const inspector = process.getBuiltinModule('node:inspector');
  if (inspector?.url() !== undefined) inspector.close();
}

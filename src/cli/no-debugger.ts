/**
 * On SIGUSR1 Node opens its debugger on 127.0.0.1:9229, for every user of the machine. Our own handler replaces that
 * default action; a debugger opened by an earlier signal is closed again.
 */

/** Node's thread that opens the debugger may run late. */
const LATE_MS = 250;

/** Asked for when the process was started. */
export const isDebuggerWanted: boolean = [
  ...process.execArgv,
  ...(process.env.NODE_OPTIONS ?? '').split(' '),
].some((option) => /^--inspect(-brk|-wait)?(=|$)/.test(option));

/** Permanent; code that acts on the signal adds its own handler. */
export function keepDebuggerClosed(): void {
  process.on('SIGUSR1', () => {});
  if (isDebuggerWanted) return;
  closeDebugger();
  setImmediate(closeDebugger).unref();
  setTimeout(closeDebugger, LATE_MS).unref();
}

function closeDebugger(): void {
  const inspector = process.getBuiltinModule('node:inspector');
  if (inspector?.url() !== undefined) inspector.close();
}

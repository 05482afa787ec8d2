#!/usr/bin/env node
/** The program. What it does is loaded only when no signal can open Node's debugger any more. */
import { whyNotLoaded } from './load-failure.js';
import { keepDebuggerClosed } from './no-debugger.js';

keepDebuggerClosed();
try {
  await import('./program.js');
} catch (error) {
  process.stderr.write(`anyport: ${whyNotLoaded(error)}\n`);
  process.exit(1);
}

#!/usr/bin/env node
/** Entry point. Loads the program only after SIGUSR1 can no longer open Node's debugger. */
import { hideSecretArguments } from './hidden-arguments.js';
import { whyNotLoaded } from './load-failure.js';
import { keepDebuggerClosed } from './no-debugger.js';

keepDebuggerClosed();
hideSecretArguments();
try {
  await import('./program.js');
} catch (error) {
  process.stderr.write(`anyport: ${whyNotLoaded(error)}\n`);
  process.exit(1);
}

#!/usr/bin/env node
/** The program. What it does is loaded only when no signal can open Node's debugger any more. */
import { keepDebuggerClosed } from './no-debugger.js';

keepDebuggerClosed();
await import('./program.js');

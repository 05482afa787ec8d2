/** The thread of aside.ts: an answer for each request, in their order. */
import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { type LoadRequest, loadConfig } from './load.js';

/** Of nice(2); on Linux it holds for this thread alone. Where cores are short, sessions come first. */
const NICENESS = 10;

// Refused where a sandbox forbids it: the reader then competes as it did.
try {
  setPriority(NICENESS);
} catch {}

parentPort?.on('message', (request: LoadRequest) => parentPort?.postMessage(loadConfig(request)));

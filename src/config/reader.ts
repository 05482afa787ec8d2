/** The thread of aside.ts: an answer for each request, in their order. */
import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { type LoadRequest, loadConfig } from './load.js';

export interface ReaderSetup {
  /** Steps of nice(2); on Linux they hold for this thread alone. */
  readonly niceness: number;
}

const { niceness } = workerData as ReaderSetup;

// Refused where a sandbox forbids it: the reader then competes as it did.
try {
  if (niceness > 0) setPriority(niceness);
} catch {}

parentPort?.on('message', (request: LoadRequest) => parentPort?.postMessage(loadConfig(request)));

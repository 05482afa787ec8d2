/** The thread of trial.ts: imports modules one after the other and says how that ended. */
import { parentPort, workerData } from 'node:worker_threads';
import { expectTexts, loadUserCode } from '../base/user-module.js';
import type { TrialMessage, TrialRequest } from './trial.js';

const tell = (message: TrialMessage) => parentPort?.postMessage(message);

async function run({ candidates, texts }: TrialRequest): Promise<string | null> {
  expectTexts(texts);
  for (const [index, { what, url }] of candidates.entries()) {
    tell(index);
    await loadUserCode(what, url);
  }
  return null;
}

const error = await run(workerData as TrialRequest).catch((thrown: Error) => thrown.message);
tell({ error });

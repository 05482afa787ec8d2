/** The thread of aside.ts: one request, one answer. */
import { parentPort, workerData } from 'node:worker_threads';
import { type LoadRequest, loadConfig } from './load.js';

parentPort?.postMessage(loadConfig(workerData as LoadRequest));

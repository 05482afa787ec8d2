/** The thread of aside.ts: an answer for each request, in their order. */
import { parentPort } from 'node:worker_threads';
import { type LoadRequest, loadConfig } from './load.js';

parentPort?.on('message', (request: LoadRequest) => parentPort?.postMessage(loadConfig(request)));

/**
 * Reads a configuration on a thread of its own, which then ends, and with it what only reading takes: the YAML parser,
 * zod, the schema (6 MiB of a daemon at rest). The daemon's own modules are loaded meanwhile.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Loaded, LoadRequest } from './load.js';

export async function loadAside(request: LoadRequest): Promise<Loaded> {
  const thread = new Worker(new URL('./reader.js', import.meta.url), { workerData: request });
  const [loaded] = (await once(thread, 'message')) as [Loaded];
  return loaded;
}

/**
 * Reads a configuration on a separate thread, which then ends and releases the memory of YAML parser, zod and schema
 * (6 MiB of an idle daemon). The daemon's own modules are loaded in parallel.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Loaded, LoadRequest } from './load.js';

export async function loadAside(request: LoadRequest): Promise<Loaded> {
  const thread = new Worker(new URL('./reader.js', import.meta.url), { workerData: request });
  const [loaded] = (await once(thread, 'message')) as [Loaded];
  return loaded;
}

/** One question to an engine: what its containers say now. */
import type { EngineClient } from './client.js';
import { containerOf } from './container.js';
import { fragmentsOf, type Made } from './fragments.js';
import type { Choice } from './replica.js';

/** Rejects when there is no whole, well-formed answer. Entries that are no containers are passed over. */
export async function askOnce(
  client: Pick<EngineClient, 'containers'>,
  choice: Choice,
  signal?: AbortSignal,
): Promise<Made> {
  const listed = await client.containers(signal);
  return fragmentsOf(
    listed.flatMap((entry) => containerOf(entry) ?? []),
    choice,
  );
}

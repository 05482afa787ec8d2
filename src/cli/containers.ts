/** A configuration with what its containers say now, for commands that look at it beside the daemon. */
import type { Source } from '../config/source.js';
import { askOnce } from '../providers/docker/ask.js';
import { EngineClient } from '../providers/docker/client.js';
import { engineAt } from '../providers/docker/place.js';
import { type Configuration, loadOrFail, okOrFail } from './configuration.js';
import { firstContainersLimits } from './first-containers.js';

/** Without them, and a word on standard error, when the engine does not answer. `seen`: as of loadConfig, perhaps twice. */
export async function loadWithContainers(
  file: string | undefined,
  seen: (source: Source) => void,
): Promise<Configuration> {
  const bare = await loadOrFail(file, {}, seen);
  const { docker } = bare.config;
  if (docker === null) return bare;
  const asked = async () => {
    const signal = AbortSignal.timeout(firstContainersLimits.answerMs);
    return askOnce(new EngineClient(engineAt(docker.place)), docker, signal);
  };
  const made = await asked().catch((error: Error) => {
    process.stderr.write(`anyport: without containers: ${error.message}\n`);
    return null;
  });
  if (made === null) return bare;
  const { loadConfig } = await import('../config/load.js');
  const request = { file: file ?? null, flags: {}, environment: process.env };
  return okOrFail(loadConfig({ ...request, contributions: [made.contribution] }, seen));
}

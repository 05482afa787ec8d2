/** A configuration with what containers and fragments in etcd say now, for commands that look at it beside the daemon. */
import type { Source } from '../config/source.js';
import type { Contribution } from '../providers/contribution.js';
import { askOnce } from '../providers/docker/ask.js';
import { EngineClient } from '../providers/docker/client.js';
import { engineAt } from '../providers/docker/place.js';
import { type Configuration, loadOrFail, okOrFail } from './configuration.js';
import { firstContainersLimits } from './first-containers.js';
import { firstFragments } from './first-fragments.js';

/** Without containers, and a word on standard error, when the engine does not answer. `seen`: as of loadConfig, perhaps twice. */
export async function loadWithContributions(
  file: string | undefined,
  seen: (source: Source) => void,
): Promise<Configuration> {
  const bare = await loadOrFail(file, {}, seen);
  const { docker, distributed } = bare.config;
  const asked = async (): Promise<Contribution | null> => {
    if (docker === null) return null;
    const signal = AbortSignal.timeout(firstContainersLimits.answerMs);
    return (await askOnce(new EngineClient(engineAt(docker.place)), docker, signal)).contribution;
  };
  const containers = await asked().catch((error: Error) => {
    process.stderr.write(`anyport: without containers: ${error.message}\n`);
    return null;
  });
  const fragments = distributed && (await firstFragments(distributed, []));
  const contributions = [fragments, containers].filter((each) => each !== null && each.fragments.length > 0);
  if (contributions.length === 0) return bare;
  const { loadConfig } = await import('../config/load.js');
  const request = { file: file ?? null, flags: {}, environment: process.env };
  return okOrFail(loadConfig({ ...request, contributions: contributions as Contribution[] }, seen));
}

/** What containers and fragments in etcd say now, for commands that look at a configuration beside the daemon. */
import { unplaced } from '../config/report.js';
import type { Source } from '../config/source.js';
import type { Config, DockerConfig } from '../model/config.js';
import type { Contribution } from '../providers/contribution.js';
import { askOnce } from '../providers/docker/ask.js';
import { EngineClient } from '../providers/docker/client.js';
import { type Lack, tellLack } from './aside.js';
import { type Configuration, loadOrFail, okOrFail } from './configuration.js';
import { firstContainersLimits } from './first-containers.js';
import { firstFragments } from './first-fragments.js';

/** The configuration with it. `seen`: as of loadConfig, perhaps twice. */
export async function loadWithContributions(
  file: string | undefined,
  seen: (source: Source) => void,
): Promise<Configuration> {
  const bare = await loadOrFail(file, {}, seen);
  const contributions = await contributionsBeside(bare.config, tellLack);
  if (contributions.length === 0) return bare;
  const { loadConfig } = await import('../config/load.js');
  const request = { file: file ?? null, flags: {}, environment: process.env };
  return okOrFail(loadConfig({ ...request, contributions }, seen));
}

/** Without containers, or fragments, where who has them does not answer. */
export async function contributionsBeside(
  { docker, distributed }: Pick<Config, 'docker' | 'distributed'>,
  lack: Lack,
): Promise<readonly Contribution[]> {
  const containers =
    docker &&
    (await askedOf(docker).catch((error: Error) => {
      lack(unplaced(`without containers: ${error.message}`));
      return null;
    }));
  const fragments = distributed && (await firstFragments(distributed, [], lack));
  const said: readonly Contribution[] = [fragments ?? [], containers ?? []].flat();
  return said.filter(({ fragments }) => fragments.length > 0);
}

async function askedOf(docker: DockerConfig): Promise<Contribution> {
  const signal = AbortSignal.timeout(firstContainersLimits.answerMs);
  return (await askOnce(new EngineClient(docker.place), docker, signal)).contribution;
}

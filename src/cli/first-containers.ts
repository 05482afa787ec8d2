/** What containers say already when the daemon starts, or have said last when their engine does not answer in time. */
import { type ReadState, readStateFile } from '../base/state-file.js';
import type { DockerConfig } from '../model/config.js';
import type { Contribution, Fragment } from '../providers/contribution.js';
import { askOnce } from '../providers/docker/ask.js';
import { EngineClient } from '../providers/docker/client.js';
import { containersState, fragmentsIn } from '../providers/docker/last-state.js';

export const firstContainersLimits = {
  /** For the answer of the engine. */
  answerMs: 2000,
} as const;

interface First {
  readonly contribution: Contribution<Fragment>;
  /** Why what was kept is not used. */
  readonly warnings: readonly string[];
}

/** `users`: beside root and this process's, whose file is believed. */
export async function firstContainers(docker: DockerConfig, users: readonly number[]): Promise<First> {
  const asked = await askedOf(docker);
  const { stateFile } = docker;
  if (asked !== null) return { contribution: asked, warnings: [] };
  if (stateFile === null) return { contribution: contributionOf([]), warnings: [] };
  const kept = keptIn(await readStateFile(stateFile, containersState, users), docker);
  if ('fragments' in kept) return { contribution: contributionOf(kept.fragments), warnings: [] };
  const warnings = [`docker.state_file: ${stateFile} is not used: ${kept.fault}`];
  return { contribution: contributionOf([]), warnings };
}

const contributionOf = (fragments: readonly Fragment[]): Contribution<Fragment> => ({
  provider: 'docker',
  fragments,
});

/** Null: it does not answer. The daemon says why, when it asks again. */
async function askedOf(docker: DockerConfig): Promise<Contribution<Fragment> | null> {
  const signal = AbortSignal.timeout(firstContainersLimits.answerMs);
  try {
    return (await askOnce(new EngineClient(docker.place), docker, signal)).contribution;
  } catch {
    return null;
  }
}

function keptIn(read: ReadState, docker: DockerConfig): ReturnType<typeof fragmentsIn> {
  if ('fault' in read) return read;
  return read.state === undefined ? { fragments: [] } : fragmentsIn(read.state, docker);
}

/**
 * What was made of the last good list, for a start while the engine is away: fragments, and under which circumstances they
 * hold. Pure, but for the number of this boot.
 */
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { isOwnHost } from '../../base/own-host.js';
import type { StateKind } from '../../base/state-file.js';
import type { DockerConfig, Document } from '../../model/config.js';
import { contributionLimits, type Fragment } from '../contribution.js';
import { engineText } from './place.js';

export const containersState: StateKind = { name: 'containers of an anyport', version: 1 };

/** Under others the labels would have made something else, or the addresses are not the containers' any more. */
interface Circumstances {
  readonly engine: string;
  readonly network: string;
  readonly allow_loopback: boolean;
  /** Of this machine, where the engine is on it: a boot ends all containers. Null: on another one, or unknown. */
  readonly boot: string | null;
}

export function stateOf(fragments: readonly Fragment[], docker: DockerConfig, boot = thisBoot()): object {
  return { circumstances: circumstancesOf(docker, boot), fragments };
}

/** `state`: as it was read, from anywhere. */
export function fragmentsIn(
  state: unknown,
  docker: DockerConfig,
  boot = thisBoot(),
): { readonly fragments: readonly Fragment[] } | { readonly fault: string } {
  const { circumstances, fragments } = mapping(state);
  const { boot: bootThen, ...then } = mapping(circumstances);
  const { boot: bootNow, ...now } = circumstancesOf(docker, boot);
  if (!isDeepStrictEqual(then, now))
    return { fault: 'it is of another engine, or of other settings of `docker`' };
  if (bootThen !== bootNow)
    return { fault: 'this machine has been started anew since: containers had other addresses then' };
  const isRight =
    Array.isArray(fragments) &&
    fragments.length <= contributionLimits.fragmentsMax &&
    fragments.every(isFragment);
  return isRight ? { fragments } : { fault: 'what it says of containers is broken' };
}

const circumstancesOf = (
  { place, network, allowLoopback }: DockerConfig,
  boot: string | null,
): Circumstances => ({
  engine: engineText(place),
  network,
  allow_loopback: allowLoopback,
  boot: 'socketPath' in place || isOwnHost(place.host) ? boot : null,
});

/** Its document is checked as that of any fragment, when it is merged. */
function isFragment(value: unknown): value is Fragment {
  const { from, document, said = {} } = mapping(value);
  return (
    typeof from === 'string' &&
    isMapping(document) &&
    isMapping(said) &&
    Object.values(said).every((each) => typeof each === 'string')
  );
}

const isMapping = (value: unknown): value is Document =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const mapping = (value: unknown): Document => (isMapping(value) ? value : {});

/** Null where /proc does not tell. */
function thisBoot(): string | null {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return null;
  }
}

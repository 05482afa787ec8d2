/** From the containers that run to fragments of a configuration, one for each alias. Pure. */
import { isDeepStrictEqual } from 'node:util';
import type { Contribution, Fragment } from '../contribution.js';
import type { Container } from './container.js';
import { type LabelProblem, problemOf, readLabels } from './labels.js';
import { type Choice, type Replica, replicaOf } from './replica.js';

export interface Made {
  readonly contribution: Contribution<Fragment>;
  /** Aliases, containers and labels that were left out. */
  readonly problems: readonly LabelProblem[];
}

/** The same containers in any order make the same fragments. */
export function fragmentsOf(containers: readonly Container[], choice: Choice): Made {
  const problems: LabelProblem[] = [];
  const byAlias = new Map<string, Replica[]>();
  const up = containers.filter(({ isUp }) => isUp).toSorted(olderFirst);
  for (const container of up) {
    const read = readLabels(container);
    problems.push(...read.problems);
    for (const labels of read.aliases) {
      const replica = replicaOf(container, labels, read.network, choice);
      if ('message' in replica) problems.push(replica);
      else join(byAlias, replica, problems);
    }
  }
  const fragments = [...byAlias]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, replicas]) => fragmentOf(replicas));
  return { contribution: { provider: 'docker', fragments }, problems };
}

/** So that a newcomer can not change what an alias is. */
const olderFirst = (a: Container, b: Container): number => a.created - b.created || (a.id < b.id ? -1 : 1);

function join(byAlias: Map<string, Replica[]>, replica: Replica, problems: LabelProblem[]): void {
  const replicas = byAlias.get(replica.alias) ?? [];
  byAlias.set(replica.alias, replicas);
  const [first] = replicas;
  const key = first && differenceOf(first, replica);
  if (first !== undefined && key !== undefined) {
    const message = `is not what container ${first.container.name}, which is older, says of the alias \`${replica.alias}\`: the same labels, or another alias`;
    const said = problemOf(replica.container, `anyport.${replica.alias}.${key}`, message);
    problems.push({ ...said, from: replica.origins[key] ?? said.from });
  } else if (!replicas.some(({ endpoint }) => endpoint.address === replica.endpoint.address)) {
    replicas.push(replica);
  }
}

/** Key of what two replicas say differently. Weights may differ. */
function differenceOf(a: Replica, b: Replica): string | undefined {
  if (!isDeepStrictEqual(a.forward, b.forward)) return 'proxy.port';
  const keys = new Set([...Object.keys(a.when), ...Object.keys(b.when)]);
  for (const key of keys) if (!isDeepStrictEqual(a.when[key], b.when[key])) return key;
  if (isDeepStrictEqual(a.options, b.options)) return undefined;
  return (
    Object.keys(b.origins).find((key) => key.startsWith('health_check.') || key === 'proxy_protocol') ??
    'options'
  );
}

function fragmentOf(replicas: readonly Replica[]): Fragment {
  const [first] = replicas;
  if (first === undefined) throw new Error('an alias without a replica');
  const { alias, forward, when, options } = first;
  const endpoints = replicas.map(({ endpoint }) => endpoint);
  const upstream = { endpoints, ...options };
  return {
    from: `container ${first.container.name}, alias ${alias}`,
    document:
      forward === null
        ? { upstreams: { [alias]: upstream }, routes: [{ when, to: alias }] }
        : { forwards: [{ name: alias, ...forward, target: upstream }] },
    said: saidBy(replicas, first),
  };
}

/** Key path → label. */
function saidBy(replicas: readonly Replica[], { alias, forward, origins }: Replica): Record<string, string> {
  const upstream = forward === null ? `upstreams.${alias}` : 'forwards[0].target';
  const said: Record<string, string> = {};
  const say = (path: string, origin: string | undefined) => {
    if (origin !== undefined) said[path] = origin;
  };
  for (const [key, origin] of Object.entries(origins)) {
    if (key === 'proxy.port') say('forwards[0]', origin);
    else if (key === 'proxy.scheme') say('forwards[0].scheme', origin);
    else if (/^(?:health_check\.|proxy_protocol$)/.test(key)) say(`${upstream}.${key}`, origin);
    else if (/^(?:protocol|sni|host|path|listener)$/.test(key)) say(`routes[0].when.${key}`, origin);
  }
  for (const [index, replica] of replicas.entries()) {
    const own = `container ${replica.container.name}, alias ${alias}`;
    say(`${upstream}.endpoints[${index}]`, replica.origins['proxy.port'] ?? replica.origins.port ?? own);
    say(`${upstream}.endpoints[${index}].weight`, replica.origins.weight);
  }
  return said;
}

/**
 * The built daemon under load, beside a direct connection and HAProxy in the same run, taken in turns.
 * What is quoted is the proxy's CPU time (or memory) per unit of work: on a shared machine wall time says little.
 * `--quick`: short runs; `--only NAME`: workloads whose name begins so; `--workers N`: of the daemon, default 1.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Contender, startAnyport, startEndpoint, startHaproxy } from './contenders.js';
import { measure, type Run } from './measure.js';
import { heading, type Results, table } from './report.js';
import { type Workload, workloads } from './workloads.js';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    workers: { type: 'string', default: '1' },
  },
});

const ROUNDS = options.quick ? 2 : 5;
const SCALE = options.quick ? 0.25 : 1;
const client = resolve('build-bench/load/client');
const endpointProgram = resolve('build-bench/load/endpoint');

const haproxyVersion = (): string | undefined =>
  /version (\S+)/.exec(spawnSync('haproxy', ['-v'], { encoding: 'utf8' }).stdout ?? '')?.[1];

function versions(): Record<string, string> {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  const haproxy = haproxyVersion();
  return { anyport: version, Node: process.versions.node, ...(haproxy ? { HAProxy: haproxy } : {}) };
}

/**
 * New processes for each workload: memory that an earlier one has left does not count. Where memory is measured, for
 * each round: it grows only once, later rounds would reuse what the first has left.
 */
async function compare(workload: Workload): Promise<Results> {
  const runs: Results[] = [];
  if (workload.quote.of === 'cpu') runs.push(await compareOnce(workload, ROUNDS));
  else for (let round = 0; round < ROUNDS; round += 1) runs.push(await compareOnce(workload, 1));
  const names = [...(runs[0]?.keys() ?? [])];
  return new Map(names.map((name) => [name, runs.flatMap((results) => results.get(name) ?? [])]));
}

async function compareOnce(workload: Workload, rounds: number): Promise<Results> {
  const contenders = await startAll(workload);
  const results = new Map<string, Run[]>(contenders.map(({ name }) => [name, []]));
  try {
    for (let round = 0; round < rounds; round += 1) {
      for (const contender of contenders) {
        results.get(contender.name)?.push(await measure(client, workload, contender));
      }
    }
  } finally {
    for (const contender of contenders.reverse()) await contender.stop();
  }
  return results;
}

async function startAll({ haproxySplices }: Workload): Promise<Contender[]> {
  const endpoint = await startEndpoint(endpointProgram);
  const contenders = [endpoint, await startAnyport(endpoint.port, Number(options.workers))];
  if (haproxyVersion()) contenders.push(await startHaproxy(endpoint.port, haproxySplices));
  return contenders;
}

console.log(`\n${heading(versions())}`);
for (const workload of workloads(SCALE).filter(({ name }) => name.startsWith(options.only))) {
  console.log(`\n${table(workload, await compare(workload))}`);
}

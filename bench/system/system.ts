/**
 * The built daemon under load, beside a direct connection and HAProxy in the same run, taken in turns.
 * What is quoted is the proxy's CPU time (or memory) per unit of work: on a shared machine wall time says little.
 * `--quick`: short runs; `--only NAME`: workloads whose name begins so; `--workers N`: of the daemon, default 1;
 * `--rounds N`; `--beside DIR`: the daemon of another built checkout too, e.g. of the release before. Exit status 1: it
 * is certain that ours is slower by more than 2 %.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { BESIDE, type Contender, startAnyport, startEndpoint, startHaproxy } from './contenders.js';
import { measure, type Run } from './measure.js';
import { ratioOf, ratioText, verdictOf } from './ratio.js';
import { costsOf, heading, type Results, table } from './report.js';
import { type Workload, workloads } from './workloads.js';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    workers: { type: 'string', default: '1' },
    rounds: { type: 'string' },
    beside: { type: 'string' },
  },
});

/** Of what is not compared with its like, so many say enough. */
const ROUNDS_OF_OTHERS = 5;
const ROUNDS = Number(options.rounds ?? (options.quick ? 2 : 5));
const SCALE = options.quick ? 0.25 : 1;
const client = resolve('build-bench/load/client');
const endpointProgram = resolve('build-bench/load/endpoint');

const haproxyVersion = (): string | undefined =>
  /version (\S+)/.exec(spawnSync('haproxy', ['-v'], { encoding: 'utf8' }).stdout ?? '')?.[1];

function versions(): Record<string, string> {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  const haproxy = haproxyVersion();
  return {
    anyport: `${version}${commitOf('.')}`,
    ...(options.beside && { [BESIDE]: `${options.beside}${commitOf(options.beside)}` }),
    Node: process.versions.node,
    ...(haproxy && { HAProxy: haproxy }),
  };
}

function commitOf(folder: string): string {
  const { stdout } = spawnSync('git', ['-C', folder, 'rev-parse', '--short', 'HEAD'], { encoding: 'utf8' });
  return stdout ? ` (${stdout.trim()})` : '';
}

/**
 * New processes for each workload: memory that an earlier one has left does not count. Where memory is measured, or the
 * start itself, for each round: it grows only once, later rounds would reuse what the first has left.
 */
async function compare(workload: Workload): Promise<Results> {
  const runs: Results[] = [];
  if (workload.way === 'cpu' || workload.way === 'scrape') runs.push(await compareOnce(workload, 0, ROUNDS));
  else for (let round = 0; round < ROUNDS; round += 1) runs.push(await compareOnce(workload, round, 1));
  const names = [...(runs[0]?.keys() ?? [])];
  return new Map(names.map((name) => [name, runs.flatMap((results) => results.get(name) ?? [])]));
}

async function compareOnce(workload: Workload, first: number, rounds: number): Promise<Results> {
  const { compared: contenders, stop } = await startAll(workload);
  const results = new Map<string, Run[]>(contenders.map(({ name }) => [name, []]));
  try {
    for (let round = first; round < first + rounds; round += 1) {
      // There and back: what the machine does meanwhile falls on each as often early as late.
      const order = round % 2 === 0 ? contenders : contenders.toReversed();
      for (const contender of order.filter(({ name }) => takesPart(name, round))) {
        results.get(contender.name)?.push(await measure(client, workload, contender));
      }
    }
  } finally {
    await stop();
  }
  return results;
}

const takesPart = (name: string, round: number): boolean =>
  round < ROUNDS_OF_OTHERS || name === 'anyport' || name === BESIDE;

/** Modes of the client that the endpoint answers without a proxy too. */
const ANSWERED: readonly (string | undefined)[] = ['fetch', 'ping', 'hold'];

async function startAll(workload: Workload): Promise<Contenders> {
  const endpoint = await startEndpoint(endpointProgram);
  const setting = { workers: Number(options.workers), ...workload.setting };
  const compared = ANSWERED.includes(workload.client?.[0]) ? [endpoint] : [];
  compared.push(await startAnyport(endpoint.port, setting));
  if (options.beside) compared.push(await startAnyport(endpoint.port, setting, options.beside));
  if (haproxyVersion() && setting.haproxy)
    compared.push(await startHaproxy(endpoint.port, setting.haproxy, setting));
  const stop = async () => {
    for (const contender of new Set([...compared.toReversed(), endpoint])) await contender.stop();
  };
  return { compared, stop };
}

interface Contenders {
  readonly compared: readonly Contender[];
  stop(): Promise<void>;
}

console.log(`\n${heading(versions())}`);
for (const workload of workloads(SCALE).filter(({ name }) => name.startsWith(options.only))) {
  const results = await compare(workload);
  console.log(`\n${table(workload, results)}`);
  if (options.beside) tellRatio(results);
}

function tellRatio(results: Results): void {
  const ratio = ratioOf(costsOf(results.get('anyport')), costsOf(results.get(BESIDE)));
  console.log(ratioText(ratio));
  if (verdictOf(ratio) === 'slower') process.exitCode = 1;
}

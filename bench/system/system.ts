/**
 * The built daemon under load, alternating with a direct connection and HAProxy in the same run. Figures are the
 * proxy's CPU time (or memory) per unit of work, because wall time says little on a shared machine.
 * `--quick`: short runs; `--only NAME`: workloads whose name starts with NAME; `--workers N`: workers of the daemon,
 * default 1; `--rounds N`; `--beside DIR`: also the daemon of another built checkout, e.g. the previous release. Exit
 * status 1: this build is slower by more than 2 % with 95 % confidence.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { BESIDE, type Contender, startAnyport, startEndpoint, startHaproxy } from './contenders.js';
import { measure, type Run } from './measure.js';
import { ratioOf, ratioText, verdictOf } from './ratio.js';
import { costsOf, heading, type Results, table } from './report.js';
import { haproxyVersion, versions } from './versions.js';
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

/** Upper bound on rounds of contenders other than the two builds: enough for their medians. */
const ROUNDS_OF_OTHERS = 5;
const ROUNDS = Number(options.rounds ?? (options.quick ? 2 : 5));
const SCALE = options.quick ? 0.25 : 1;
const client = resolve('build-bench/load/client');
const endpointProgram = resolve('build-bench/load/endpoint');

/**
 * New processes per workload, so that memory of an earlier workload does not count. Where memory or the start is
 * measured, new processes per round: the heap grows only once, and later rounds would reuse it.
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
      // Reversed every other round, so that drift of the machine affects all contenders alike.
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

/** Client modes that work against the endpoint without a proxy. */
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

console.log(`\n${heading(versions(options.beside ? { [BESIDE]: options.beside } : {}))}`);
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

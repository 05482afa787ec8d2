/**
 * The built daemon under load, alternating with a direct connection, a bare relay and other proxies in the same run, all
 * pinned apart from the load. Figures are the proxy's CPU time (or memory) per unit of work, because wall time says
 * little on a shared machine.
 * `--quick`: short runs; `--only NAME`: workloads whose name starts with NAME; `--against NAME[,NAME]`: these contenders
 * alone; `--workers N`: workers of the daemon, default 1; `--rounds N`; `--beside DIR`: also the daemon of another built
 * checkout, e.g. the previous release; `--json FILE`: also every run; `--unpinned`: on any core. Exit status 1: this build
 * is slower by more than 2 % with 95 % confidence.
 */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Contender } from './contender.js';
import { BESIDE, OURS } from './contenders/anyport.js';
import { DIRECT } from './contenders/direct.js';
import { contenderNames } from './contenders/index.js';
import { ANY_CORE, type Cores, coresFor, joinLoad } from './cores.js';
import { askedBy, type Choice, isRival, lineUp, type TakingPart, takingPart } from './line-up.js';
import { measure, type Run } from './measure.js';
import { ratioText, verdictOf } from './ratio.js';
import { heading } from './report.js';
import { type Comparison, figuresOf, type Results, ratioTo, summary, table } from './table.js';
import { prepareTail } from './tail.js';
import { versions } from './versions.js';
import { type Workload, workloads } from './workloads.js';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    against: { type: 'string' },
    workers: { type: 'string', default: '1' },
    rounds: { type: 'string' },
    beside: { type: 'string' },
    json: { type: 'string' },
    unpinned: { type: 'boolean', default: false },
  },
});

/** Upper bound on rounds of contenders that are not anyport: enough for their medians. */
const ROUNDS_OF_OTHERS = 5;
const ROUNDS = Number(options.rounds ?? (options.quick ? 2 : 5));
const SCALE = options.quick ? 0.25 : 1;
const client = resolve('build-bench/load/client');
const choice: Choice = {
  against: options.against?.split(',') ?? contenderNames(),
  beside: options.beside,
};

/**
 * New processes per workload, so that memory of an earlier workload does not count. Where memory or the start is
 * measured, new processes per round: the heap grows only once, and later rounds would reuse it.
 */
async function compare(workload: Workload): Promise<Comparison> {
  const { starts, absent } = takingPart(workload, choice);
  const results = new Map<string, Run[]>([...starts.keys()].map((name) => [name, []]));
  const comparison = { workload, results, absent: new Map(absent) };
  const isOnce = ['cpu', 'held', 'scrape', 'tail'].includes(workload.way);
  if (isOnce) await compareRounds(comparison, starts, 0, ROUNDS);
  else for (let round = 0; round < ROUNDS; round += 1) await compareRounds(comparison, starts, round, 1);
  return comparison;
}

interface Growing extends Comparison {
  readonly results: Map<string, Run[]>;
  readonly absent: Map<string, string>;
}

async function compareRounds(
  { workload, results, absent }: Growing,
  starts: TakingPart['starts'],
  first: number,
  rounds: number,
): Promise<void> {
  const setting = { workers: Number(options.workers), ...workload.setting };
  const cores = options.unpinned ? ANY_CORE : coresFor(setting.workers);
  const { compared, stop } = await lineUp(starts, setting, cores);
  const run = async (load: Workload, contender: Contender): Promise<void> => {
    try {
      results
        .get(contender.name)
        ?.push(await measure([...cores.load, client], askedBy(load, contender.name), contender));
    } catch (error) {
      if (!isRival(contender.name)) throw new Error(`${workload.name}, ${contender.name}`, { cause: error });
      results.delete(contender.name);
      absent.set(contender.name, `failed (${error instanceof Error ? error.message : error})`);
    }
  };
  try {
    const isTail = workload.way === 'tail';
    const load = isTail ? await prepareTail(workload, compared, cores.load) : workload;
    for (let round = first; round < first + rounds; round += 1) {
      // Reversed every other round, so that drift of the machine affects all contenders alike.
      const order = round % 2 === 0 ? compared : compared.toReversed();
      for (const contender of order.filter(
        ({ name }) => (isTail || takesPart(name, round)) && !absent.has(name),
      ))
        await run(load, contender);
    }
  } finally {
    await stop();
  }
}

const takesPart = (name: string, round: number): boolean =>
  round < ROUNDS_OF_OTHERS || (name !== DIRECT && !isRival(name));

/** What ran, for the top of the output and for the file. */
function head(): string {
  const others = options.beside === undefined ? {} : { [BESIDE]: options.beside };
  const compared = (['HAProxy', 'nginx', 'sslh'] as const).filter((name) => choice.against.includes(name));
  const told = ({ proxy, load }: Cores) => `proxies run by ${proxy.join(' ')}, the load by ${load.join(' ')}`;
  return [
    heading(versions(others, ...compared)),
    `${ROUNDS} rounds in turn; ${options.unpinned ? 'nothing is pinned' : told(coresFor(Number(options.workers)))}`,
    'figures: median of the rounds (lowest–highest); ratios: of each round, likewise',
  ].join('\n');
}

function tellBeside(results: Results): void {
  const ratio = ratioTo(results, OURS, BESIDE);
  if (ratio === null) return;
  console.log(ratioText(ratio));
  if (verdictOf(ratio) === 'slower') process.exitCode = 1;
}

async function main(): Promise<void> {
  console.log(`\n${head()}`);
  if (!options.unpinned) joinLoad(coresFor(Number(options.workers)));
  const comparisons: Comparison[] = [];
  for (const workload of workloads(SCALE).filter(({ name }) => name.startsWith(options.only))) {
    const comparison = await compare(workload);
    comparisons.push(comparison);
    console.log(`\n${table(comparison)}`);
    tellBeside(comparison.results);
    const figures = { head: head().split('\n'), workloads: comparisons.map(figuresOf) };
    if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(figures, null, 2)}\n`);
  }
  if (comparisons.length > 1) console.log(`\n${summary(comparisons)}`);
}

await main();

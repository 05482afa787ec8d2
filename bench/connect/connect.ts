/**
 * What a tunnel by CONNECT costs: beside a session that is relayed by the same process, and beside a tunnel of squid, in
 * turn. Figures are the proxy's CPU time per unit of work; every byte of every answer is checked.
 * `--workload NAME`: those whose name starts with NAME; `--against NAME[,NAME]`: these contenders alone; `--rounds N`;
 * `--quick`. Exit status 1: a goal is missed with 95 % confidence.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { startEndpoint } from '../system/contenders/direct.js';
import { measure, type Run } from '../system/measure.js';
import { heading } from '../system/report.js';
import { versions } from '../system/versions.js';
import { type Contender, contenderNames, startContenders } from './contenders.js';
import { goalRatio, type Results, table, verdictOf } from './outcome.js';
import { type Workload, workloads } from './workloads.js';

const { values: options } = parseArgs({
  options: {
    workload: { type: 'string', default: '' },
    against: { type: 'string' },
    rounds: { type: 'string' },
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
  },
});

const ROUNDS = Number(options.rounds ?? (options.quick ? 2 : 6));
const SCALE = options.quick ? 0.25 : 1;
const client = [resolve('build-bench/load/client')];
const endpointProgram = resolve('build-bench/load/endpoint');
const chosen: readonly string[] = options.against?.split(',') ?? contenderNames();

/** The client asks for a tunnel first where the contender is a proxy. */
function runOf(workload: Workload, { name, port, pid, tunnelTo }: Contender): Promise<Run> {
  const [mode = 'fetch', ...numbers] = workload.client ?? [];
  const asked = {
    ...workload,
    client: [mode, ...numbers, ...(tunnelTo === null ? [] : [tunnelTo])] as const,
  };
  const start = { cpuNanoseconds: NaN, seconds: NaN };
  return measure(client, asked, { name, port, pid, start, stop: async () => {} });
}

/** In turn; reversed every other round, so that drift of the machine affects all alike. */
async function compare(workload: Workload): Promise<Results> {
  const endpoint = await startEndpoint(endpointProgram);
  const { all, stop } = await startContenders(endpoint.port, chosen);
  const results = new Map<string, Run[]>(all.map(({ name }) => [name, []]));
  try {
    // Once before what counts: code is compiled, and tables grow.
    for (const contender of all) await runOf(workload, contender);
    for (let round = 0; round < ROUNDS; round += 1)
      for (const contender of round % 2 === 0 ? all : all.toReversed())
        results.get(contender.name)?.push(await runOf(workload, contender));
  } finally {
    await stop();
    await endpoint.stop();
  }
  return results;
}

async function main(): Promise<void> {
  console.log(`\n${heading(versions({}, 'squid'))} -- --only connect`);
  console.log(`${ROUNDS} rounds; nothing is pinned`);
  for (const workload of workloads(SCALE).filter(({ name }) => name.startsWith(options.workload))) {
    const results = await compare(workload);
    console.log(`\n${table(workload, results)}`);
    const ratio = goalRatio(workload, results);
    if (ratio !== null && verdictOf(ratio, workload.goal.bound) === 'broken') process.exitCode = 1;
  }
}

await main();

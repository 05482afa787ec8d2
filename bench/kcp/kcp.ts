/**
 * What a tunnel over KCP costs and carries: kcptun, kcptun with one scheduler thread, our end against kcptun's client,
 * and both ends ours, in turn, over the same emulated wire with the same seed. Every byte is checked, and a tunnel that
 * brings a wrong one or not all gets no figure. `--workload NAME[,NAME]`: those whose name starts so;
 * `--against NAME[,NAME]`: these contenders alone; `--rounds N`; `--quick`. Exit status 1: a transfer was not as it
 * should be, or a bound that must hold is broken with 95 % confidence.
 */
import { parseArgs } from 'node:util';
import { startEndpoint } from '../../test/support/steady.js';
import { heading } from '../system/report.js';
import { versions } from '../system/versions.js';
import { type Contender, contenders } from './contenders.js';
import { measure, type Run } from './measure.js';
import { type Outcome, outcomesOf, type Results, summary, table } from './outcome.js';
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

const ROUNDS = Number(options.rounds ?? (options.quick ? 2 : 5));
const SCALE = options.quick ? 0.25 : 1;

const starts = options.workload.split(',');
const names = options.against?.split(',');
const chosen = [...contenders].filter(([name]) => names === undefined || names.includes(name));

type Measure = (contender: Contender) => Promise<Run>;

/** In turn; reversed every other round, so that drift of the machine affects all alike. */
async function inTurn(results: Map<string, Run[]>, round: number, run: Measure): Promise<void> {
  for (const [name, contender] of round % 2 === 0 ? chosen : chosen.toReversed())
    results.get(name)?.push(await run(contender));
}

/** Those that do next to nothing do not disturb one another. */
async function together(results: Map<string, Run[]>, run: Measure): Promise<void> {
  const runs = await Promise.all(chosen.map(([, contender]) => run(contender)));
  for (const [index, [name]] of chosen.entries()) results.get(name)?.push(runs[index] as Run);
}

async function compare(workload: Workload, endpoint: number): Promise<Results> {
  const results = new Map<string, Run[]>(chosen.map(([name]) => [name, []]));
  for (let round = 0; round < ROUNDS; round += 1) {
    const run: Measure = (contender) => measure(contender, endpoint, workload, round + 1);
    if (workload.work.kind === 'idle') await together(results, run);
    else await inTurn(results, round, run);
  }
  return results;
}

async function main(): Promise<void> {
  console.log(`\n${heading(versions({}, 'kcptun'))} -- --only kcp`);
  console.log(`${ROUNDS} rounds; nothing is pinned`);
  const endpoint = await startEndpoint();
  const outcomes: Outcome[] = [];
  try {
    for (const workload of workloads(SCALE)) {
      if (!starts.some((start) => workload.name.startsWith(start))) continue;
      const results = await compare(workload, endpoint.port);
      console.log(`\n${table(workload, results)}`);
      outcomes.push(...outcomesOf(workload, results));
    }
  } finally {
    await endpoint.stop();
  }
  if (outcomes.length > 0) console.log(`\n${summary(outcomes)}`);
  if (outcomes.some(({ broken }) => broken)) process.exitCode = 1;
}

await main();

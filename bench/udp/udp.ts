/**
 * What a relayed datagram costs: a direct exchange, nginx, the bare relay (without and with offload) and the built
 * daemon in turn, each pinned to a core of its own. Figures are CPU time or memory of the relay; every datagram is
 * checked at both ends, and a relay that loses, changes, repeats, reorders or misdirects one gets no figure.
 * `--workload NAME`: those whose name starts with NAME; `--against NAME[,NAME]`: these contenders alone; `--rounds N`;
 * `--quick`; `--beside DIR`: also the daemon of another built checkout. Exit status 1: a datagram was not as it
 * should be, or a bound that must hold is broken with 95 % confidence, or this build is slower than the other one.
 */
import { parseArgs } from 'node:util';
import { type ExchangeEndpoint, startExchangeEndpoint } from '../../test/support/exchange.js';
import { ratioOf, ratioText, verdictOf } from '../system/ratio.js';
import { heading } from '../system/report.js';
import { versions } from '../system/versions.js';
import { BESIDE, contendersFor, cores, OURS, type Relay, RIVAL, type Start } from './contenders.js';
import { measure, type Run, warmUp } from './measure.js';
import { costsOf, type Outcome, outcomesOf, type Results, summary, table } from './outcome.js';
import { type Workload, workloads } from './workloads.js';

const { values: options } = parseArgs({
  options: {
    workload: { type: 'string', default: '' },
    against: { type: 'string' },
    rounds: { type: 'string' },
    quick: { type: 'boolean', default: false },
    beside: { type: 'string' },
    only: { type: 'string' },
  },
});

const ROUNDS = Number(options.rounds ?? (options.quick ? 2 : 6));
const SCALE = options.quick ? 0.25 : 1;

function chosen(workload: Workload): [string, Start][] {
  const all = [...contendersFor(workload, options.beside)];
  const names = options.against?.split(',');
  return names ? all.filter(([name]) => names.includes(name)) : all;
}

/** In turn; reversed every other round, so that drift of the machine affects all alike. */
async function inTurn(names: readonly string[], run: (name: string) => Promise<Run>): Promise<Results> {
  const results = new Map<string, Run[]>(names.map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round += 1)
    for (const name of round % 2 === 0 ? names : names.toReversed()) results.get(name)?.push(await run(name));
  return results;
}

/** All relays side by side, one at work. */
async function compareRunning(workload: Workload, endpoint: ExchangeEndpoint): Promise<Results> {
  const relays = new Map<string, Relay>();
  try {
    for (const [name, start] of chosen(workload)) relays.set(name, await start(endpoint.port, workload));
    return await inTurn([...relays.keys()], (name) => measure(relays.get(name) as Relay, endpoint, workload));
  } finally {
    for (const relay of relays.values()) await relay.stop();
  }
}

/** A new relay each run: flows stay, and a table or heap grows only once. */
async function compareFresh(workload: Workload, endpoint: ExchangeEndpoint): Promise<Results> {
  const starts = new Map(chosen(workload));
  return inTurn([...starts.keys()], async (name) => {
    const relay = await (starts.get(name) as Start)(endpoint.port, workload);
    try {
      await warmUp(relay, workload);
      return await measure(relay, endpoint, workload);
    } finally {
      await relay.stop();
    }
  });
}

async function compare(workload: Workload): Promise<Results> {
  const offload = workload.offload ? 1 : 0;
  const endpoint = await startExchangeEndpoint({ offload, wrapper: cores.endpoint });
  try {
    const way = workload.way === 'relayed' ? compareRunning : compareFresh;
    return await way(workload, endpoint);
  } finally {
    await endpoint.stop();
  }
}

function tellBeside(results: Results): void {
  const ratio = ratioOf(costsOf(results.get(OURS[0])), costsOf(results.get(BESIDE)));
  console.log(ratioText(ratio));
  if (verdictOf(ratio) === 'slower') process.exitCode = 1;
}

async function main(): Promise<void> {
  const others = options.beside === undefined ? {} : { [BESIDE]: options.beside };
  console.log(`\n${heading(versions(others, RIVAL))} -- --only udp`);
  console.log(
    `${ROUNDS} rounds; the relay pinned by ${cores.relay.join(' ')}, clients by ${cores.clients.join(' ')}`,
  );
  const outcomes: Outcome[] = [];
  for (const workload of workloads(SCALE).filter(({ name }) => name.startsWith(options.workload))) {
    const results = await compare(workload);
    console.log(`\n${table(workload, results)}`);
    if (options.beside) tellBeside(results);
    outcomes.push(...outcomesOf(workload, results));
  }
  if (outcomes.length > 0) console.log(`\n${summary(outcomes)}`);
  if (outcomes.some(({ broken }) => broken)) process.exitCode = 1;
}

await main();

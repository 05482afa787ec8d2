/** `anyport bench --plan`: a load in, workers, accept mode, memory, open files, ports and settings out. */
import { readFileSync } from 'node:fs';
import { bytesText, counted, countText } from '../../base/figures.js';
import { jsonLine } from '../../base/text.js';
import type { Report } from '../../bench/bench.js';
import { basisOf } from '../../bench/plan/basis.js';
import { calibrationFor } from '../../bench/plan/calibration.js';
import { BUSY_MAX, type Cores, type Plan, planFor } from '../../bench/plan/plan.js';
import { parseWanted, type Wanted } from '../../bench/plan/wanted.js';
import type { BenchRequest } from '../../bench/sweep.js';
import { loadConfig } from '../../config/load.js';
import { reasonOf } from '../../config/text.js';
import { checks } from '../../doctor/checks/index.js';
import { type Examined, examine } from '../../doctor/examine.js';
import { thisMachine } from '../../doctor/machine.js';
import { columns } from '../columns.js';
import { okOrFail } from '../configuration.js';
import { BAD_USAGE, Failure } from '../failure.js';
import { type BenchOptions, durationOf } from './options.js';
import { writeOutput } from './outputs.js';

const DURATION_MS = 1_000;

export async function runPlan(
  options: BenchOptions,
  measure: (request: BenchRequest) => Promise<Report>,
): Promise<void> {
  const wanted = parseWanted(options.plan ?? '');
  if (typeof wanted === 'string') throw new Failure(`--plan: ${wanted}`, BAD_USAGE);
  const request = calibrationFor(wanted, durationOf(options.duration, DURATION_MS));
  const figures = options.figures === undefined ? await measure(request) : readFigures(options.figures);
  const plan = planFor(wanted, basisOf(figures.results));
  const findings = findingsFor(wanted, plan);
  const json = jsonLine({ wanted, plan, findings, figures });
  process.stdout.write(options.json === '-' ? json : planText(wanted, plan, findings, figures));
  writeOutput('--json', options.json, json);
}

function readFigures(file: string): Report {
  try {
    const report = JSON.parse(readFileSync(file, 'utf8')) as Partial<Report>;
    if (Array.isArray(report.results) && report.machine !== undefined) return report as Report;
  } catch (error) {
    throw new Failure(`--figures ${file}: ${reasonOf(error as NodeJS.ErrnoException)}`, BAD_USAGE);
  }
  throw new Failure(`--figures ${file}: these are not the figures of \`anyport bench --json\``, BAD_USAGE);
}

/** The endpoint stands for all: what it may get at most is checked. */
const ENDPOINT = '192.0.2.1:80';

function findingsFor({ connections }: Wanted, { workers, accept }: Plan): Examined[] {
  const document = {
    server: { listen: '127.0.0.1:0', workers, accept, max_connections: connections },
    protocols: [{ name: 'HTTP', target: ENDPOINT }],
    monitoring: { address: '127.0.0.1' },
  };
  const { config } = okOrFail(loadConfig({ document, directory: '.' }));
  // What it takes is planned from figures; what the user of this shell may do is no matter of capacity.
  const left = ['memory', 'identity', 'cpus'];
  return examine(config, thisMachine, checks).filter(({ check }) => !left.includes(check));
}

function planText(wanted: Wanted, plan: Plan, findings: readonly Examined[], figures: Report): string {
  const table = columns([
    ['', '', 'confidence'],
    ['workers', countText(plan.workers), coresText(plan)],
    ['accept', plan.accept, acceptText(plan)],
    ['memory', bytesText(Math.round(memoryOf(plan))), 'the sum of what follows'],
    ...plan.memory.map(({ what, bytes, confidence }) => [
      `  ${what}`,
      bytesText(Math.round(bytes)),
      confidence,
    ]),
    ...findings.map(({ verdict, what, needed, there }) => [
      what,
      needed.replace(ENDPOINT, 'one endpoint address'),
      `counted; ${verdict === 'ok' ? 'there' : verdict}: ${there}`,
    ]),
  ]);
  const advice = findings.filter(({ verdict }) => verdict !== 'ok').map(adviceText);
  return [
    headText(wanted, figures),
    table,
    configurationText(wanted, plan),
    ...warnings(plan, figures),
    ...advice,
  ].join('\n');
}

const headText = (wanted: Wanted, { machine, date }: Report): string =>
  `${wantedText(wanted)}, by figures of ${machine.cpus} x ${machine.model} of ${date}\n`;

const configurationText = ({ connections }: Wanted, { workers, accept }: Plan): string =>
  `server: { workers: ${workers}, accept: ${accept}, max_connections: ${connections} }\n`;

function wantedText({
  connections,
  connectionsPerSecond,
  bytesPerSecond,
  messagesPerSecond,
}: Wanted): string {
  return [
    counted(connections, 'connection'),
    ...(connectionsPerSecond > 0 ? [`${countText(connectionsPerSecond)} new ones a second`] : []),
    ...(bytesPerSecond > 0
      ? [`${((bytesPerSecond * 8) / 1e9).toPrecision(3)} Gbit/s both ways together`]
      : []),
    ...(messagesPerSecond > 0 ? [`${countText(messagesPerSecond)} messages a second`] : []),
  ].join(', ');
}

function coresText({ cores }: Plan): string {
  if (cores.parts.length === 0) return 'nothing but connections that are open: no CPU to speak of';
  const parts = cores.parts.map(({ what, cores: each }) => `${what} ${each.toFixed(2)}`).join(', ');
  return `${certaintyOf(cores)}: ${cores.likely.toFixed(2)} cores (${cores.low.toFixed(2)}–${cores.high.toFixed(2)}: ${parts}), ${BUSY_MAX * 100} % busy at most`;
}

/** Spread of the rounds from which on a figure is only fair, or poor. */
const SPREADS = { good: 1.15, fair: 1.5 } as const;

function certaintyOf({ low, high, parts }: Cores): string {
  const rounds = Math.min(...parts.map(({ cost }) => cost.rounds));
  if (rounds < 2) return 'measured once';
  const spread = high / low;
  const word = spread <= SPREADS.good ? 'good' : spread <= SPREADS.fair ? 'fair' : 'poor';
  return `${word}, ${rounds} rounds`;
}

const acceptText = ({ workers, excess }: Plan): string =>
  workers === 1
    ? 'one worker has all'
    : `computed: with reuseport the fullest worker has ${(excess * 100).toFixed(1)} % more than its share of the connections; handoff is even, and costs some 5 µs each`;

const memoryOf = ({ memory }: Plan): number => memory.reduce((sum, { bytes }) => sum + bytes, 0);

function warnings({ workers, unknown }: Plan, { machine, notes }: Report): string[] {
  return [
    ...(workers > machine.cpus
      ? [
          `short  CPUs: ${machine.cpus} are there, ${workers} workers want one each, besides the kernel's own work\n`,
        ]
      : []),
    ...unknown.map(
      (what) => `unknown  what ${what} cost: the figures have none; measure without --figures\n`,
    ),
    ...notes.map((note) => `note  ${note}\n`),
  ];
}

function adviceText({ verdict, what, why, remedies = [] }: Examined): string {
  return `${[`${verdict}  ${what}: ${why ?? ''}`, ...remedies.map((remedy) => `    ${remedy}`)].join('\n')}\n`;
}

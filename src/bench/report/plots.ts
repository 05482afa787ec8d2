/** The plots of a report, of what was measured often enough to draw. */
import { bytesText, countText } from '../../base/figures.js';
import type { Report } from '../bench.js';
import { kneeOf } from '../knee.js';
import type { Result, Run } from '../result.js';
import type { Axis, Line, Plot } from './plot.js';
import { linearScale, logScale } from './scale.js';
import { latencyTick } from './table.js';

export interface PlotGroup {
  readonly title: string;
  readonly plots: readonly Plot[];
  /** Instead of plots: how to get them. */
  readonly missing?: string;
}

/** Told of each result only where they differ in it. */
type AcceptText = (result: Result) => string;

export const plotGroups = ({ results }: Report): PlotGroup[] => groupsOf(results, acceptTextOf(results));

function acceptTextOf(results: readonly Result[]): AcceptText {
  const varies = new Set(results.map(({ accept }) => accept)).size > 1;
  return ({ accept }) => (varies ? accept : '');
}

const groupsOf = (results: readonly Result[], acceptText: AcceptText): PlotGroup[] => [
  {
    title: 'Under rising load',
    plots: results
      .filter(({ ladder }) => ladder.length > 1)
      .flatMap((result) => loadPlots(result, nameOf(result, acceptText(result)))),
    missing: '--ladder, with the workload ping, conn, identify or tls-sni',
  },
  {
    title: 'CPU and workers',
    plots: workerPlots(results, acceptText),
    missing: 'several numbers of --workers, such as 1,2,4',
  },
  { title: 'Memory and sessions', plots: memoryPlots(results, acceptText), missing: 'the workload idle' },
];

/** What varies between the results of a workload. */
function nameOf({ workload, connections, bytes, workers }: Result, accept: string): string {
  const size = bytes === 0 ? '' : bytesText(bytes);
  const parts = [workload, counted(connections, 'connection'), size, counted(workers, 'worker'), accept];
  return parts.filter((part) => part !== '').join(', ');
}

const counted = (count: number, noun: string): string =>
  `${countText(count)} ${noun}${count === 1 ? '' : 's'}`;

const rate = (words: string, values: readonly number[]): Axis => ({
  words,
  scale: linearScale(values),
  text: (value) => (value >= 10_000 ? `${Math.round(value / 100) / 10}k` : countText(Math.round(value))),
});

function loadPlots(result: Result, name: string): Plot[] {
  const { ladder, unit } = result;
  const knee = kneeOf(ladder);
  const offered = ladder.map((run) => run.offered ?? 0);
  const x = rate(`${unit}s offered per second`, offered);
  const shared = {
    x,
    ...(knee?.offered && { marks: [{ at: knee.offered, words: `knee ${x.text(knee.offered)}` }] }),
  };
  const most = Math.max(...offered);
  const carried: Plot = {
    ...shared,
    title: `${name}: throughput`,
    y: rate(`${unit}s carried per second`, [...offered, ...ladder.map((run) => run.perSecond)]),
    lines: [
      { name: 'carried', points: ladder.map((run) => [run.offered ?? 0, run.perSecond]) },
      {
        name: 'offered',
        points: [
          [0, 0],
          [most, most],
        ],
        dashed: true,
      },
    ],
  };
  return [carried, latencyPlot(result, name, shared)];
}

const quantiles = { p50: 'p50', p90: 'p90', p99: 'p99', p999: 'p99.9' } as const;

function latencyPlot(result: Result, name: string, shared: Pick<Plot, 'x' | 'marks'>): Plot {
  const lines = Object.entries(quantiles).map(
    ([key, quantile]): Line => ({
      name: quantile,
      points: result.ladder.flatMap((run): [number, number][] =>
        run.latency === null ? [] : [[run.offered ?? 0, run.latency[key as keyof typeof quantiles]]],
      ),
    }),
  );
  const all = lines.flatMap(({ points }) => points.map(([, y]) => y));
  return {
    ...shared,
    title: `${name}: latency`,
    y: { words: 'latency, from when each was due', scale: logScale(all), text: latencyTick },
    lines,
  };
}

/** A plot for each unit: connections, round trips and gigabytes have nothing in common. */
function workerPlots(results: readonly Result[], acceptText: AcceptText): Plot[] {
  const measured = results.filter(({ full }) => full?.cpuPerUnit != null);
  return [...new Set(measured.map(({ unit }) => unit))].flatMap((unit) => {
    const ofUnit = measured.filter((result) => result.unit === unit);
    const workers = ofUnit.map((result) => result.workers);
    if (new Set(workers).size < 2) return [];
    const lines = linesBy(
      ofUnit,
      (result) => `${result.workload} ${result.connections} ${acceptText(result)}`.trimEnd(),
      (result) => [result.workers, (result.full as Run).cpuPerUnit ?? 0],
    );
    const isBulk = unit === 'GB';
    return {
      title: `CPU per ${unit}`,
      x: { words: 'workers', scale: countScale(workers), text: String },
      y: {
        words: `CPU time of the daemon per ${unit}`,
        scale: linearScale(lines.flatMap(({ points }) => points.map(([, y]) => y))),
        text: (value) => (isBulk ? `${Math.round(value / 1e6)} ms` : `${Math.round(value / 100) / 10} µs`),
      },
      lines,
    };
  });
}

/** Every number of workers is marked. */
const countScale = (counts: readonly number[]) => ({
  ...linearScale([...counts, Math.max(...counts) + 0.5]),
  ticks: [...new Set(counts)].toSorted((a, b) => a - b),
});

const MIB = 2 ** 20;

/** Each line begins without sessions: what the daemon takes at rest. */
function memoryPlots(results: readonly Result[], acceptText: AcceptText): Plot[] {
  const held = results.filter(({ memory }) => memory !== null);
  if (held.length === 0) return [];
  const name = (result: Result) => `${counted(result.workers, 'worker')} ${acceptText(result)}`.trimEnd();
  const lines = linesBy(held, name, ({ connections, memory }) => [
    connections,
    (memory?.residentWith ?? 0) / MIB,
  ]).map((line): Line => {
    const first = held.find((result) => name(result) === line.name);
    return { ...line, points: [[0, (first?.memory?.residentBefore ?? 0) / MIB], ...line.points] };
  });
  return [
    {
      title: 'Resident memory of the daemon',
      x: rate(
        'idle sessions',
        held.map(({ connections }) => connections),
      ),
      y: {
        words: 'resident',
        scale: linearScale(lines.flatMap(({ points }) => points.map(([, y]) => y))),
        text: (value) => `${Math.round(value)} MiB`,
      },
      lines,
    },
  ];
}

/** A line of those that have a name in common, by rising x. */
function linesBy(
  results: readonly Result[],
  name: (result: Result) => string,
  point: (result: Result) => [number, number],
): Line[] {
  return [...new Set(results.map(name))].map((each) => ({
    name: each,
    points: results
      .filter((result) => name(result) === each)
      .map(point)
      .toSorted(([one], [other]) => one - other),
  }));
}

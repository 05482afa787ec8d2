/** A replay beside what was recorded: a table, and plots over its time. */
import { bytesText, countText } from '../../base/figures.js';
import type { Latency } from '../latency.js';
import type { Figures, Replayed, Slice } from '../replay/outcome.js';
import type { Axis, Line, Plot } from './plot.js';
import { linearScale, logScale } from './scale.js';
import { aligned, latencyTick, microsecondsText } from './table.js';

export const REPLAY_LEGEND = `durations: of sessions, from when each was due to its end. answers: of exchanges, from when each was due. CPU and memory are the daemon's.
`;

const NOTHING = '–';
const quantiles = { p50: 'p50', p90: 'p90', p99: 'p99', p999: 'p99.9' } as const;
type Quantile = keyof typeof quantiles;

export const replayTitle = ({ file, speed }: Replayed): string =>
  `Replay of ${file}${speed === 1 ? '' : ` at ${speed} times its speed`}`;

export const replayText = (replay: Replayed): string =>
  `${replayTitle(replay)}\n\n${aligned(replayRows(replay)).join('\n')}\n\n${REPLAY_LEGEND}`;

/** The first row is the heads of the columns. */
export function replayRows(replay: Replayed): string[][] {
  const { recorded, replayed, answers, late, memory, cores } = replay;
  const both = (head: string, cell: (figures: Figures) => string): string[] => [
    head,
    cell(recorded),
    cell(replayed),
  ];
  const measured = (head: string, cell: string): string[] => [head, NOTHING, cell];
  const names = Object.keys(quantiles) as Quantile[];
  return [
    ['', 'recorded', 'replayed'],
    both('sessions', ({ sessions }) => countText(sessions)),
    both('a second', ({ perSecond }) => rateText(perSecond)),
    both('at once, at most', ({ most }) => countText(most)),
    both('up', ({ up }) => bytesText(up)),
    both('down', ({ down }) => bytesText(down)),
    ...names.map((name) =>
      both(`durations, ${quantiles[name]}`, ({ durations }) => timeText(durations, name)),
    ),
    ...names.map((name) => measured(`answers, ${quantiles[name]}`, timeText(answers, name))),
    measured('began late, p99', timeText(late, 'p99')),
    measured('CPU each', `${(replay.cpuPerSession / 1e3).toFixed(1)} µs`),
    measured('cores', cores.daemon.toFixed(2)),
    measured('memory before', bytesText(memory.before)),
    measured('memory at most', bytesText(memory.most)),
  ];
}

const rateText = (rate: number): string =>
  rate > 0 && rate < 100 ? rate.toFixed(1) : countText(Math.round(rate));

const timeText = (latency: Latency | null, quantile: Quantile): string =>
  latency === null ? NOTHING : microsecondsText(latency[quantile]);

export function replayPlots({ slices }: Replayed): Plot[] {
  const x: Axis = {
    words: 'seconds from the beginning',
    scale: linearScale(slices.map(({ at }) => at)),
    text: (value) => String(Math.round(value * 100) / 100),
  };
  const ended = (of: 'recorded' | 'replayed'): Line['points'] => slices.map((each) => [each.at, each[of]]);
  const answered = slices.filter(({ answers }) => answers !== null);
  const sessions: Plot = {
    title: 'Sessions that ended',
    x,
    y: {
      words: 'sessions per second',
      scale: linearScale(slices.flatMap(({ recorded, replayed }) => [recorded, replayed])),
      text: rateText,
    },
    lines: [
      { name: 'replayed', points: ended('replayed') },
      { name: 'recorded', points: ended('recorded'), dashed: true },
    ],
  };
  return answered.length === 0 ? [sessions] : [sessions, answersPlot(answered, x)];
}

function answersPlot(answered: readonly Slice[], x: Axis): Plot {
  const shown = { p50: 'p50', p99: 'p99', max: 'max' } as const;
  const lines = Object.entries(shown).map(
    ([key, name]): Line => ({
      name,
      points: answered.map(({ at, answers }) => [at, answers?.[key as keyof typeof shown] ?? 0]),
    }),
  );
  return {
    title: 'Answers',
    x,
    y: {
      words: 'from when each was due',
      scale: logScale(lines.flatMap(({ points }) => points.map(([, y]) => y))),
      text: latencyTick,
    },
    lines,
  };
}

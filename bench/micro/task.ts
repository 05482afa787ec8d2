/** Timed tasks: each states its operations per call, so that figures are per operation. */
import { Bench } from 'tinybench';

export interface Task {
  readonly name: string;
  /** Operations per call of `run`; enough to make the call overhead negligible. */
  readonly operations: number;
  /** The timed function; keeps its answers for `check`. */
  readonly run: () => void;
  /** Throws unless the answers of the last `run` are right. */
  readonly check: () => void;
}

export interface Timed {
  readonly name: string;
  /** Median over calls, per operation. */
  readonly nanoseconds: number;
}

/** Times each task for `msPerTask` after a warm-up of a fifth of that; checks its answers before and after. */
export async function time(tasks: readonly Task[], msPerTask: number): Promise<Timed[]> {
  const bench = new Bench({ time: msPerTask, warmupTime: msPerTask / 5 });
  for (const { name, run, check } of tasks) {
    run();
    check();
    bench.add(name, run);
  }
  await bench.run();
  for (const { check } of tasks) check();
  return bench.tasks.map(({ name, result }, index) => {
    if (result.state !== 'completed') throw new Error(`${name}: ${result.state}`);
    return { name, nanoseconds: (result.latency.p50 * 1e6) / (tasks[index] as Task).operations };
  });
}

/** Repeats the items up to `count`. */
export const repeated = <T>(items: readonly T[], count: number): T[] =>
  Array.from({ length: count }, (_, i) => items[i % items.length] as T);

export function printTable(title: string, rows: readonly Timed[]): void {
  console.log(`\n${title}`);
  for (const { name, nanoseconds } of rows) {
    console.log(`  ${name.padEnd(44)} ${nanoseconds.toFixed(1).padStart(9)}`);
  }
}

/** `share` 0.5: the median. */
export function quantile(rows: readonly Timed[], share: number): number {
  const sorted = rows.map(({ nanoseconds }) => nanoseconds).sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN;
}

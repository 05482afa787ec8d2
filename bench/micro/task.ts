/** What is timed, and how: each task says how many operations a call is, so that figures are of one. */
import { Bench } from 'tinybench';

export interface Task {
  readonly name: string;
  /** How many operations one call of `run` is: so many that the way to them does not count. */
  readonly operations: number;
  /** What is timed. It keeps its answers. */
  readonly run: () => void;
  /** Throws unless the answers that the last `run` has kept are right. */
  readonly check: () => void;
}

export interface Timed {
  readonly name: string;
  /** Median over the calls, of one operation. */
  readonly nanoseconds: number;
}

/** So long for each task, after a fifth of it to warm up; its answers are checked before and after. */
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

/** The items over and over, until there are `count`. */
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

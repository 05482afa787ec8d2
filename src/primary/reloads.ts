/** The record of changes: counts by result, the last outcome, and the lines that an operator reads. */
import type { Logger } from '../base/log.js';
import { createLineBucket, createLineBudget, type LogLine, limitedBy } from '../base/log.js';
import { formatProblem } from '../config/report.js';
import type { Problem } from '../model/config.js';
import type { Diff, DiffKind } from '../model/diff.js';
import type { Cause, ChangeResult, LastChange } from '../model/settings.js';
import { providerNames } from '../providers/contribution.js';
import { leftOutLimits } from './left-out.js';

export const reloadLimits = {
  /** Upper bound on problems logged for one refusal, and on warnings. */
  problemsLoggedMax: 50,
  /** Lines per second about outcomes that are the same as the one before. */
  sameOutcomesPerSecond: 1,
} as const;

export const reloadResults = ['applied', 'refused', 'unchanged'] as const;

export class Reloads {
  readonly #log: Logger;
  readonly #same;
  readonly #warnOfFragments: LogLine;
  readonly #counts = { applied: 0, refused: 0, unchanged: 0 };
  #last: LastChange | null = null;
  #warned: ReadonlySet<string> = new Set();

  /** `nowMs`: monotonic. */
  constructor(log: Logger, nowMs: () => number) {
    this.#log = log;
    this.#same = createLineBudget(reloadLimits.sameOutcomesPerSecond, nowMs);
    const bucket = createLineBucket(leftOutLimits.lines, nowMs);
    this.#warnOfFragments = limitedBy(bucket, (fields, message) => log.warn(fields, message));
  }

  get counts(): Readonly<Record<(typeof reloadResults)[number], number>> {
    return this.#counts;
  }

  get last(): LastChange | null {
    return this.#last;
  }

  note(cause: Cause, result: ChangeResult): void {
    if (result.result === 'superseded' || result.result === 'called_off') return;
    this.#counts[result.result] += 1;
    const wasRefused = this.#last?.result.result === 'refused';
    const isSame = this.#last !== null && outcome(this.#last.result) === outcome(result);
    this.#last = { cause, at: Date.now(), result };
    // Fragments are tried again and again; who says them tells once what of them is left out.
    if (isProvider(cause) && result.result !== 'applied') return;
    // A touched file is no news, what has been mended is.
    if (cause === 'file' && result.result === 'unchanged' && !wasRefused) return;
    if (!isSame || this.#same.take()) this.#tell(cause, result);
  }

  /** Warnings about a configuration that is in force now. Fragments come and go: then only those that are new. */
  warn(warnings: readonly Problem[], cause: Cause): void {
    const lines = warnings.slice(0, reloadLimits.problemsLoggedMax).map(formatProblem);
    for (const line of lines)
      if (!isProvider(cause)) this.#log.warn(line);
      else if (!this.#warned.has(line)) this.#warnOfFragments({}, line);
    this.#warned = new Set(lines);
  }

  #tell(cause: Cause, result: LastChange['result']): void {
    const suppressed = this.#same.suppressed();
    const fields = { cause, ...(suppressed > 0 && { suppressed }) };
    if (result.result === 'unchanged') this.#log.info(fields, 'the configuration is unchanged');
    else if (result.result === 'refused') this.#tellRefusal(fields, result.problems);
    else {
      const { generation, tookMs } = result;
      const took_ms = Math.round(tookMs);
      this.#log.info({ ...fields, generation, took_ms, ...countsOf(result.diff) }, 'reloaded');
    }
  }

  #tellRefusal(fields: object, problems: readonly Problem[]): void {
    const { problemsLoggedMax } = reloadLimits;
    const refusal = { ...fields, problems: problems.length };
    this.#log.error(refusal, 'reload refused, the running configuration stays');
    for (const problem of problems.slice(0, problemsLoggedMax)) this.#log.error(formatProblem(problem));
    if (problems.length <= problemsLoggedMax) return;
    this.#log.error({ not_shown: problems.length - problemsLoggedMax }, 'further problems are not shown');
  }
}

const isProvider = (cause: Cause): boolean => (providerNames as readonly string[]).includes(cause);

/** Two outcomes with the same text are told once a second. */
function outcome(result: LastChange['result']): string {
  if (result.result !== 'refused')
    return result.result === 'applied' ? String(result.generation) : 'unchanged';
  return result.problems.map(formatProblem).join('\n');
}

type Counts = Partial<Record<`${DiffKind}s`, Partial<Record<Diff[number]['change'], number>>>>;

/** `{ listeners: { added: 1 }, routes: { changed: 2 } }`: only what there is. */
function countsOf(diff: Diff): Counts {
  const counts: Counts = {};
  for (const { kind, change } of diff) {
    const own = counts[`${kind}s`] ?? {};
    own[change] = (own[change] ?? 0) + 1;
    counts[`${kind}s`] = own;
  }
  return counts;
}

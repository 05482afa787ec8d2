/** What is to be known about figures: where something else than the daemon may have been measured. Pure. */
import { caseText, HEADROOM_MIN, headroomOf, type Result } from './result.js';

/** Cores that other programs may have before it is told. */
const OTHERS_MAX = 0.1;
/** Share of its workers' cores from which on the daemon is itself the limit. */
const FULL = 0.9;

export function notesOf(results: readonly Result[]): string[] {
  const limited = results.filter(isLimited).map((result) => `${caseText(result)} (${headroomText(result)})`);
  const disturbed = results
    .filter((result) => othersOf(result) > OTHERS_MAX)
    .map((result) => `${caseText(result)} (${othersOf(result).toFixed(1)})`);
  const late = results
    .filter(({ half }) => half !== null && half.unfinished > 0)
    .map((result) => `${caseText(result)} (${result.half?.unfinished})`);
  const lost = results
    .filter((result) => lostOf(result) > 0)
    .map((result) => `${caseText(result)} (${lostOf(result)})`);
  return [
    ...noteOf(
      limited,
      `the load or the machine was the limit, not the daemon: its rate could be higher, CPU each holds`,
    ),
    ...noteOf(
      disturbed,
      'other programs had so many cores meanwhile: CPU each holds, rates and latencies may not',
    ),
    ...noteOf(late, 'of half the rate so many were not finished in time'),
    ...noteOf(lost, 'so many datagrams were lost, and count as a second late'),
  ];
}

const noteOf = (cases: readonly string[], words: string): string[] =>
  cases.length === 0 ? [] : [`${words}: ${cases.join('; ')}`];

/** Less than twice as much goes without the daemon, which had not all of its cores. */
function isLimited(result: Result): boolean {
  const headroom = headroomOf(result);
  const isBusy = (result.full?.cores.daemon ?? 0) >= result.workers * FULL;
  return headroom !== null && headroom < HEADROOM_MIN && !isBusy;
}

const headroomText = (result: Result): string => `${headroomOf(result)?.toFixed(1)} times as much without it`;

const lostOf = ({ full, half }: Result): number => (full?.lost ?? 0) + (half?.lost ?? 0);

const othersOf = ({ full }: Result): number => full?.cores.others ?? 0;

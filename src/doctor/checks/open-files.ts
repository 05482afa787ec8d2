/**
 * Open files: against the hard limit, to which the daemon raises its own. At its start it fits itself to it by the same
 * table (src/primary/file-limit.ts).
 */
import { countText } from '../../base/figures.js';
import { type FileFit, fileCosts, fitOpenFiles } from '../../budget/open-files.js';
import type { Check, Finding } from '../check.js';
import { type ProcessLimit, processLimit, setSysctl, sysctl } from '../readers.js';

export const openFiles: Check = {
  name: 'open_files',
  examine: ({ demand, machine }) => {
    const limit = processLimit(machine, 'open files');
    const fit = fitOpenFiles(demand, limit?.hard ?? Number.POSITIVE_INFINITY);
    const finding = { what: 'open files', needed: countText(fit.needed), items: fit.items };
    if (limit === null) return [{ ...finding, verdict: 'unknown', there: 'no /proc/self/limits' }];
    const there = thereText(limit);
    if (fit.lowered.length > 0) {
      return [{ ...finding, there, ...shortage(fit, sysctl(machine, 'fs.nr_open')) }];
    }
    if (fit.pipes < fileCosts.pipesPerWorkerMax) {
      const all = fit.needed + demand.workers * fileCosts.pipesPerWorkerMax * fileCosts.pipe;
      return [{ ...finding, there, ...fewPipes(fit.pipes, all) }];
    }
    return [{ ...finding, there, verdict: 'ok' }];
  },
};

/** Node and the daemon raise the soft limit to the hard one. */
const thereText = ({ hard }: ProcessLimit): string =>
  hard === Number.POSITIVE_INFINITY ? 'unlimited' : countText(hard);

type Verdict = Pick<Finding, 'verdict' | 'why' | 'remedies'>;

function shortage({ needed, lowered }: FileFit, most: number | null): Verdict {
  const beyond = most !== null && needed > most ? [`${setSysctl('fs.nr_open', needed)}  # first`] : [];
  const raise = [...beyond, `ulimit -n ${needed}  # as root; in a systemd unit: LimitNOFILE=${needed}`];
  if (lowered.some(({ possible }) => possible === 0))
    return { verdict: 'short', why: 'the daemon does not start', remedies: raise };
  const to = lowered.map(({ key, possible }) => `${lastOf(key)} is lowered to ${countText(possible)}`);
  const lower = lowered.map(({ key, possible }) => `${key}: ${possible}`).join(', ');
  return {
    verdict: 'short',
    why: `${to.join(', ')} at start`,
    remedies: [...raise, `${lower}  # instead`],
  };
}

const lastOf = (key: string): string => key.slice(key.lastIndexOf('.') + 1);

const fewPipes = (pipes: number, all: number): Verdict => ({
  verdict: 'note',
  why: `${pipes} of ${fileCosts.pipesPerWorkerMax} splice pipes per worker fit; beyond them bytes are copied`,
  remedies: [`ulimit -n ${all}  # as root; in a systemd unit: LimitNOFILE=${all}`],
});

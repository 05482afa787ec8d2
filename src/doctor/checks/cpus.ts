/** Workers beside the CPUs that the process may use: affinity, and the quota of its control group. */
import { counted } from '../../base/figures.js';
import type { Check } from '../check.js';
import { groupCpus } from '../readers.js';

export const cpus: Check = {
  name: 'cpus',
  examine: ({ demand: { workers }, machine }) => {
    const quota = groupCpus(machine);
    const finding = { what: 'CPUs', needed: counted(workers, 'worker') };
    const there = quota === null ? `${machine.cores}` : `${machine.cores}, quota ${quota.toFixed(1)}`;
    const useful = Math.max(1, Math.floor(Math.min(machine.cores, quota ?? machine.cores)));
    if (workers <= useful) return [{ ...finding, verdict: 'ok', there }];
    const why = 'threads that share a CPU cost memory and switches, and bring nothing';
    return [{ ...finding, verdict: 'note', there, why, remedies: [`server.workers: ${useful}`] }];
  },
};

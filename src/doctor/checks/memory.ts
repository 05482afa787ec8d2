/** Memory, against the limit of the control group and what the machine has to give. */
import { bytesText } from '../../base/figures.js';
import { memoryNeeds, memoryPeaks } from '../../budget/memory.js';
import { itemsOf, totalOf } from '../../budget/need.js';
import type { Check } from '../check.js';
import type { Machine } from '../machine.js';
import { groupMemory, memoryRow } from '../readers.js';

export const memory: Check = {
  name: 'memory',
  examine: ({ demand, machine }) => {
    const quiet = itemsOf(memoryNeeds, demand);
    const peak = itemsOf(memoryPeaks, demand);
    const [least, most] = [totalOf(quiet), totalOf([...quiet, ...peak])];
    const needed = `${bytesText(least)}, ${bytesText(most)} at a peak`;
    const finding = { what: 'memory', needed, items: [...quiet, ...peak], unit: 'bytes' as const };
    const limit = memoryOf(machine);
    if (limit === null) return [{ ...finding, verdict: 'unknown', there: 'no /proc/meminfo' }];
    const { there, bytes } = limit;
    if (bytes >= most) return [{ ...finding, verdict: 'ok', there }];
    const remedies = ['server.max_connections, server.workers: lower'];
    if (limit.isGroup)
      remedies.unshift(
        `MemoryMax=${mebibytes(most)}M  # in a systemd unit; docker: --memory=${mebibytes(most)}m`,
      );
    return bytes < least
      ? [
          {
            ...finding,
            verdict: 'short',
            there,
            remedies,
            why: 'the kernel ends the process when every place is taken',
          },
        ]
      : [{ ...finding, verdict: 'note', there, remedies, why: 'a peak of all workers at once does not fit' }];
  },
};

const mebibytes = (bytes: number): number => Math.ceil(bytes / 1024 ** 2);

/** The smaller one of the two. */
function memoryOf(machine: Machine): { there: string; bytes: number; isGroup: boolean } | null {
  const available = memoryRow(machine, 'MemAvailable');
  const group = groupMemory(machine);
  if (group !== null && (available === null || group < available))
    return { there: `${bytesText(group)} (control group)`, bytes: group, isGroup: true };
  return available === null
    ? null
    : { there: `${bytesText(available)} available`, bytes: available, isGroup: false };
}

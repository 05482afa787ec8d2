/** Open files of the whole system: fs.file-max, beside those in use now. */
import { countText } from '../../base/figures.js';
import { itemsOf, totalOf } from '../../budget/need.js';
import { fileNeeds } from '../../budget/open-files.js';
import type { Check } from '../check.js';
import { setSysctl, sysctl, sysctlWords } from '../readers.js';

export const systemFiles: Check = {
  name: 'system_files',
  examine: ({ demand, machine }) => {
    const needed = totalOf(itemsOf(fileNeeds, demand));
    const finding = { what: 'fs.file-max', needed: countText(needed) };
    const most = sysctl(machine, 'fs.file-max');
    const used = Number(sysctlWords(machine, 'fs.file-nr')?.[0] ?? 0);
    if (most === null) return [{ ...finding, verdict: 'unknown', there: 'no /proc/sys/fs/file-max' }];
    const there = `${countText(most)}, ${countText(used)} in use`;
    if (most - used >= needed) return [{ ...finding, verdict: 'ok', there }];
    const why = 'ENFILE, for every process of the system';
    return [
      { ...finding, verdict: 'short', there, why, remedies: [setSysctl('fs.file-max', used + needed)] },
    ];
  },
};

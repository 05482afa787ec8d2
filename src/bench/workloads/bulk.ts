/** Long transfers, down and up. */
import { twoProtocols, type Workload } from './workload.js';

const transfer: Omit<Workload, 'name' | 'words' | 'client'> = {
  unit: 'GB',
  measures: 'bytes',
  connections: [1, 8],
  bytes: { usual: 1 << 30, most: 2 ** 40 },
  sections: twoProtocols,
};

export const download: Workload = {
  ...transfer,
  name: 'bulk-down',
  words: 'downloads of 1 GiB, one after the other on each stream',
  client: () => ({ kind: 'download' }),
};

export const upload: Workload = {
  ...transfer,
  name: 'bulk-up',
  words: 'uploads of 1 GiB, one after the other on each stream',
  client: () => ({ kind: 'upload' }),
};

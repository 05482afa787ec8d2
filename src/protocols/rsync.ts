/** rsync: the greeting of a client to the rsync daemon. */
import type { Protocol } from '../model/protocol.js';

export const rsync: Protocol = {
  id: 'rsync',
  transports: ['tcp'],
  rank: 10,
  signature: { patterns: ['^@RSYNCD: [0-9]'] },
  words: '@RSYNCD: VERSION',
  source: 'rsync daemon protocol',
};

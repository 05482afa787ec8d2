/** Android Debug Bridge: a host that connects to a device over TCP. */
import type { Protocol } from '../model/protocol.js';

export const adb: Protocol = {
  id: 'adb',
  transports: ['tcp'],
  rank: 10,
  // Header: command, version, maxdata, length, checksum, magic; the magic is the command's complement.
  signature: { patterns: ['^CNXN[^]{16}\\xbc\\xb1\\xa7\\xb1'] },
  words: 'a CNXN message: CNXN, 16 bytes, and the complement of CNXN',
  source: 'Android Debug Bridge, protocol.txt',
};

/** SMB: a negotiate request of any version over TCP, or the NetBIOS session request before it (port 139). */
import type { Protocol } from '../model/protocol.js';
import { smbFacts } from './smb-facts.js';

/** RFC 1001 section 14.1: 16 bytes encoded as 32 letters. */
const netbiosName = '\\x20[A-P]{32}\\x00';

export const smb: Protocol = {
  id: 'smb',
  transports: ['tcp'],
  rank: 10,
  // Session message below 2^17 bytes; ff is SMB 1, fe is SMB 2 and 3.
  signature: { patterns: ['^\\x00[\\x00\\x01][^]{2}[\\xfe\\xff]SMB', `^\\x81\\x00\\x00\\x44${netbiosName}`] },
  factNames: ['dialects', 'host', 'called_name', 'calling_name'],
  words: '00 LENGTH FF|FE SMB, or a NetBIOS session request (81 00 00 44)',
  source: 'MS-SMB2 section 2.1, MS-CIFS section 2.2.3.1, RFC 1002 section 4.3.2',
  facts: smbFacts,
};

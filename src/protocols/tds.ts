/** TDS: Microsoft SQL Server (PRELOGIN, or LOGIN7 without it) and Sybase (the login record of TDS 4 and 5). */
import type { Protocol } from '../model/protocol.js';

/** A 30-byte field and its used length. */
const name = '[^]{30}[\\x00-\\x1e]';
/** The client's byte order of integers, character set, float and date formats. */
const formats = '[\\x02\\x03][\\x00\\x01][\\x06\\x07][\\x04\\x05\\x0a][\\x08\\x09]';

export const tds: Protocol = {
  id: 'tds',
  transports: ['tcp'],
  rank: 40,
  signature: {
    patterns: [
      // Packet header, then as first option VERSION: offset, length 6 (MS-TDS section 2.2.6.5).
      '^\\x12[\\x00\\x01][^]{2}\\x00\\x00[\\x00\\x01]\\x00\\x00\\x00[^]\\x00\\x06',
      // Packet header, record length, TDS 7.0 to 7.4 (MS-TDS section 2.2.6.4).
      '^\\x10[\\x00\\x01][^]{2}\\x00\\x00[\\x00\\x01]\\x00[^]{2}\\x00\\x00[^]{3}[\\x70-\\x74]',
      // Packet header with length 512, then host, user, password and process (TDS 5.0 specification, login record).
      `^\\x02[\\x00\\x01]\\x02\\x00\\x00\\x00[^]\\x00(?:${name}){4}${formats}`,
    ],
    checks: ['u16be(2) > 8'],
  },
  words: 'a PRELOGIN (12), LOGIN7 (10) or TDS 5 login (02) packet',
  source: 'MS-TDS sections 2.2.6.4 and 2.2.6.5, TDS 5.0 functional specification',
};

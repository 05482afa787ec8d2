/** VNC (RFB): the client's reply to the server's version line. */
import type { Protocol } from '../model/protocol.js';

export const vnc: Protocol = {
  id: 'vnc',
  transports: ['tcp'],
  rank: 10,
  serverFirst: true,
  // 3.3, 3.7, 3.8; 3.889 is Apple, 4 and 5 are RealVNC.
  signature: { patterns: ['^RFB 00[3-5]\\.[0-9]{3}\\n'] },
  words: 'RFB 00x.yyy LF',
  source: 'RFC 6143 section 7.1.1',
};

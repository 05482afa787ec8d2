/** WireGuard: the handshake initiation message, which has a fixed length. */
import type { Protocol } from '../model/protocol.js';

export const wireguard: Protocol = {
  id: 'wireguard',
  transports: ['udp'],
  rank: 10,
  signature: { startBytes: ['01000000'], checks: ['total == 148'] },
  words: 'handshake initiation: 01 00 00 00 and 148 bytes in all',
  source: 'WireGuard whitepaper section 5.4.2',
};

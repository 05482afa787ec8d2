/**
 * BitTorrent: the peer handshake over TCP; DHT, uTP and tracker datagrams. Encrypted handshakes look random and are
 * not recognised.
 */
import type { Confirmation, Protocol } from '../model/protocol.js';
import { match, no } from './confirmation.js';

const utpSyn = 0x41;
/** A SYN has no payload; older clients add an extension: type, length, eight bytes. */
const utpHeaderBytes = 20;
const utpExtensionBytes = 10;

export const bittorrent: Protocol = {
  id: 'bittorrent',
  transports: ['tcp', 'udp'],
  rank: 10,
  signature: { patterns: ['^\\x13BitTorrent protocol'] },
  datagram: {
    signature: {
      patterns: [
        // DHT query: bencoded keys are sorted, so the arguments come first and the sender's id first in them (BEP 5).
        '^d1:ad(?:2:bsi1e)?2:id20:',
        // uTP SYN, version 1: timestamp difference and acknowledgement number are 0 in a first packet (BEP 29).
        '^\\x41\\x00[^]{6}\\x00{4}[^]{6}\\x00{2}',
        '^\\x41\\x02[^]{6}\\x00{4}[^]{6}\\x00{2}\\x00\\x08',
        // Tracker connect request: the magic protocol id and action 0 (BEP 15).
        '^\\x00\\x00\\x04\\x17\\x27\\x10\\x19\\x80\\x00{4}',
      ],
    },
    confirm: confirmDatagram,
  },
  words: '13 BitTorrent protocol; as a datagram a DHT query, a uTP SYN or a tracker connect',
  source: 'BEP 3, BEP 5, BEP 15, BEP 29',
};

function confirmDatagram(bytes: Uint8Array): Confirmation {
  if (bytes[0] !== utpSyn) return match;
  const extensionBytes = bytes[1] === 0 ? 0 : utpExtensionBytes;
  return bytes.length === utpHeaderBytes + extensionBytes ? match : no;
}

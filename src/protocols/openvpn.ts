/**
 * OpenVPN: the reset that a client begins with, plain or under tls-auth, tls-crypt or tls-crypt-v2. With a static
 * key there is nothing to be recognised.
 */
import type { Confirmation, Protocol } from '../model/protocol.js';
import { match, no } from './confirmation.js';

/** Of every digest that tls-auth may be used with, MD5 with SHA-1 in one (36) included (openvpn --show-digests). */
const digestBytes = [16, 20, 28, 32, 36, 48, 64] as const;

/** Opcode, session id, an empty list of acknowledgements, message id. */
const plainBytes = 1 + 8 + 1 + 4;
/** tls-auth and tls-crypt put the packet's number and the time before what they protect. */
const replayBytes = 8;
const cryptBytes = plainBytes + replayBytes + 32;
/** With tls-crypt-v2 the client's own key follows, wrapped: 256 bytes, a tag, a length and some metadata. */
const wrappedKeyMin = 290;
const wrappedKeyMax = 1024;

/** CLIENT_V1 (OpenVPN 1) and CLIENT_V2, key 0, and the session id. */
const reset = '[\\x08\\x38][^]{8}';
const resetV3 = '\\x50[^]{8}';
/** The first packets; OpenVPN 2.6 may number them from 0x0f000001. */
const packetId = '[\\x00\\x0f]\\x00\\x00[\\x01-\\x1f]';
const firstMessage = '\\x00{5}';

/** What follows the length of a packet; length → form. */
const forms: readonly (readonly [number, string])[] = [
  [plainBytes, `${reset}${firstMessage}`],
  ...digestBytes.map((digest): [number, string] => [
    plainBytes + digest + replayBytes,
    `${reset}[^]{${digest}}${packetId}[^]{4}${firstMessage}`,
  ]),
  [cryptBytes, `${reset}${packetId}`],
];

export const openvpn: Protocol = {
  id: 'openvpn',
  transports: ['tcp', 'udp'],
  // After DNS, which may look like it and is told for certain.
  rank: 46,
  signature: {
    patterns: [
      ...forms.map(([bytes, form]) => `^\\x00\\x${bytes.toString(16).padStart(2, '0')}${form}`),
      `^[\\x01-\\x04][^]${resetV3}${packetId}`,
    ],
  },
  datagram: {
    signature: { patterns: [...forms.map(([, form]) => `^${form}`), `^${resetV3}${packetId}`] },
    confirm: confirmDatagram,
  },
  words: 'LENGTH (not in a datagram), 38, 08 or 50, session id, then zeros or a packet id by mode',
  source: 'OpenVPN protocol (openvpn-rfc), tls-crypt-v2.txt',
};

/** Without a length of its own it has that of one of the forms. */
function confirmDatagram(bytes: Uint8Array): Confirmation {
  const wrappedKey = bytes.length - cryptBytes;
  const isWrapped = wrappedKey >= wrappedKeyMin && wrappedKey <= wrappedKeyMax;
  const isForm = bytes[0] === 0x50 ? isWrapped : forms.some(([length]) => length === bytes.length);
  return isForm ? match : no;
}

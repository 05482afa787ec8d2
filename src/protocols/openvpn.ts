/**
 * OpenVPN: the client's hard reset; plain, or with tls-auth, tls-crypt or tls-crypt-v2. Static-key mode has no
 * recognisable bytes.
 */
import type { Confirmation, Protocol } from '../model/protocol.js';
import { match, no } from './confirmation.js';

/** HMAC sizes of all digests for tls-auth, including MD5-SHA1 (36 bytes); see openvpn --show-digests. */
const digestBytes = [16, 20, 28, 32, 36, 48, 64] as const;

/** Opcode, session id, empty acknowledgement list, message id. */
const plainBytes = 1 + 8 + 1 + 4;
/** Replay protection of tls-auth and tls-crypt: packet id and time. */
const replayBytes = 8;
const cryptBytes = plainBytes + replayBytes + 32;
/** tls-crypt-v2 appends the client's wrapped key: 256 bytes, tag, length, metadata. */
const wrappedKeyMin = 290;
const wrappedKeyMax = 1024;

/** P_CONTROL_HARD_RESET_CLIENT_V1 (OpenVPN 1) or _V2 with key id 0, then the session id. */
const reset = '[\\x08\\x38][^]{8}';
const resetV3 = '\\x50[^]{8}';
/** Low packet ids; OpenVPN 2.6 may start at 0x0f000001. */
const packetId = '[\\x00\\x0f]\\x00\\x00[\\x01-\\x1f]';
const firstMessage = '\\x00{5}';

/** Packet length → pattern of the packet. */
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
  // After DNS, which may look alike but is validated to its end.
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

/** Datagrams have no length field: their size must be that of a form. */
function confirmDatagram(bytes: Uint8Array): Confirmation {
  const wrappedKey = bytes.length - cryptBytes;
  const isWrapped = wrappedKey >= wrappedKeyMin && wrappedKey <= wrappedKeyMax;
  const isForm = bytes[0] === 0x50 ? isWrapped : forms.some(([length]) => length === bytes.length);
  return isForm ? match : no;
}

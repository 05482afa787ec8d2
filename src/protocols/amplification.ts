/**
 * Protocols whose servers answer a datagram with more bytes than it has, before they know that its source is real:
 * factors in bandwidth as US-CERT gives them (alert TA14-017A), else what the protocol's own standard says.
 */
export interface Amplifier {
  /** As in the table of protocols. */
  readonly id: string;
  /** Where its servers listen (IANA), by which a forward to one is known; absent: nowhere in particular. */
  readonly port?: number;
  /** Bytes of the answer for each byte of the request; null: no figure. */
  readonly factor: number | null;
  /** What its server can do. */
  readonly advice: string;
  readonly source: string;
}

const US_CERT = 'US-CERT TA14-017A';

export const amplifiers: readonly Amplifier[] = [
  {
    id: 'memcached',
    port: 11_211,
    factor: 51_000,
    advice: 'memcached -U 0: no UDP',
    source: US_CERT,
  },
  {
    id: 'ntp',
    port: 123,
    factor: 557,
    advice: 'ntp.conf: restrict default noquery, and disable monitor',
    source: US_CERT,
  },
  {
    id: 'ldap',
    port: 389,
    factor: 70,
    advice: 'connection-less LDAP for domain members alone: no UDP 389 to the internet',
    source: US_CERT,
  },
  {
    id: 'dns',
    port: 53,
    factor: 54,
    advice: 'name server: response rate limiting, and no recursion for strangers',
    source: US_CERT,
  },
  {
    id: 'snmp',
    port: 161,
    factor: 6.3,
    advice: 'SNMPv3 with authentication, and no GetBulk for communities',
    source: US_CERT,
  },
  {
    id: 'bittorrent',
    factor: 3.8,
    advice: 'peers limit what they send before the handshake has ended',
    source: US_CERT,
  },
  {
    id: 'coap',
    port: 5683,
    factor: null,
    advice: 'CoAP server: Echo option (RFC 9175), or DTLS; no multicast from outside',
    source: 'RFC 7252 section 11.3',
  },
  {
    id: 'dtls',
    factor: null,
    advice: 'DTLS server: HelloVerifyRequest (cookies) on',
    source: 'RFC 6347 section 4.2.1',
  },
  {
    id: 'quic',
    port: 443,
    factor: 3,
    advice: 'QUIC server: Retry under load',
    source: 'RFC 9000 section 8.1',
  },
];

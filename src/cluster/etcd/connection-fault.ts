/**
 * Why there is no connection to etcd, or none that it takes: in words with the cure, by the codes of Node.js and OpenSSL,
 * whose own words are for programmers, and differ from one connection to the next.
 */
import { X509Certificate } from 'node:crypto';
import { visible } from '../../base/text.js';
import type { ClientTls } from '../../model/client-tls.js';
import { EtcdFailure } from './failure.js';

interface ConnectionError extends Error {
  readonly code?: string;
  /** OpenSSL's words. */
  readonly reason?: string;
  /** Of the server, where it is for another name. */
  readonly cert?: { readonly subjectaltname?: string; readonly subject?: { readonly CN?: string } };
  /** Of each address, where a name has several. */
  readonly errors?: readonly Error[];
}

/** Characters of a certificate's names, or of other words, that are shown. */
const WORDS_MAX = 200;

const STRANGER =
  'its certificate is of an authority that is not trusted here: name that one in `distributed.tls.ca`';
const NO_TLS = 'does not speak TLS: write http:// in `distributed.etcd_endpoints`';

/** Of the certificate of etcd. */
const faults: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'its certificate, or the one of its authority, has expired: renew it there',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet: compare the clocks of both machines',
  DEPTH_ZERO_SELF_SIGNED_CERT: STRANGER,
  SELF_SIGNED_CERT_IN_CHAIN: STRANGER,
  UNABLE_TO_GET_ISSUER_CERT: STRANGER,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: STRANGER,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: STRANGER,
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
};

/** Of the certificate of this node (RFC 8446 section 6.2): Go says `bad certificate` whatever is wrong with it. */
const REFUSED =
  /^ERR_SSL_.*ALERT_(?:(?:BAD|NO)_CERTIFICATE|CERTIFICATE_|UNSUPPORTED_CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)/;

/** `unsent`: the request has not reached etcd. */
export function connectionFault(
  error: ConnectionError,
  url: URL,
  tls: ClientTls,
  unsent: boolean,
): EtcdFailure {
  const words = tlsWords(error, url, tls);
  return new EtcdFailure(
    words === null ? 'unreachable' : 'untrusted',
    `etcd at ${url.host}: ${words ?? plainWords(error, url)}`,
    unsent,
  );
}

/** Null: it has nothing to do with TLS. */
function tlsWords({ code = '', cert, reason }: ConnectionError, url: URL, tls: ClientTls): string | null {
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return nameWords(cert, url);
  if (REFUSED.test(code)) return tls.cert === undefined ? WANTS_ONE : refusedWords(tls.cert, Date.now());
  if (Object.hasOwn(faults, code)) return faults[code] as string;
  return code.startsWith('ERR_SSL_') ? `TLS: ${bounded(reason ?? code)}` : null;
}

function plainWords({ message, errors = [] }: ConnectionError, { protocol }: URL): string {
  // So etcd answers who speaks TLS where it does not, and the other way round.
  if (protocol === 'http:' && message === 'socket hang up')
    return 'has hung up: if it speaks TLS, write https:// in `distributed.etcd_endpoints`';
  if (protocol === 'https:' && message.includes('before secure TLS connection'))
    return 'has hung up in the handshake: if it does not speak TLS, write http:// in `distributed.etcd_endpoints`';
  return bounded(message || errors.map((each) => each.message).join(', '));
}

function nameWords(cert: ConnectionError['cert'], { hostname }: URL): string {
  const names = bounded(cert?.subjectaltname ?? cert?.subject?.CN ?? 'nobody');
  return `its certificate is for ${names}, not for ${hostname}: issue one for this name, or write one of its names in \`distributed.etcd_endpoints\``;
}

const WANTS_ONE =
  'it takes only clients with a certificate: name one in `distributed.tls.cert`, with its `key`';

function refusedWords(pem: string, nowMs: number): string {
  const { validTo } = new X509Certificate(pem);
  const hasExpired = Date.parse(validTo) < nowMs;
  const cure = hasExpired
    ? `which has expired (${validTo}): renew it`
    : 'which is of another authority than its --trusted-ca-file, not for clients, or revoked';
  return `it refuses the certificate of this node, \`distributed.tls.cert\`, ${cure}`;
}

/** One line. */
const bounded = (text: string): string => visible(text.trim().slice(0, WORDS_MAX));

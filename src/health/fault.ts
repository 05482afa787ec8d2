/** Errors of sockets in our words. */
import { LineFault } from './line.js';

const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refused the connection',
  ECONNRESET: 'reset the connection',
  EPIPE: 'closed the connection',
  ETIMEDOUT: 'does not answer',
  EHOSTUNREACH: 'is unreachable',
  ENETUNREACH: 'is in a network that is unreachable',
  EHOSTDOWN: 'is not there',
  ENOENT: 'has no socket at its path',
  EACCES: 'is a socket that may not be opened',
  EMFILE: 'can not be asked: no descriptor is free',
  ENFILE: 'can not be asked: no descriptor is free',
  EADDRNOTAVAIL: 'can not be asked: no port is free, or no address of this machine fits',
  EMSGSIZE: 'can not be asked: the datagram is too large',
};

export function faultOf(error: unknown): LineFault {
  if (error instanceof LineFault) return error;
  const code = (error as { code?: unknown } | null)?.code;
  if (typeof code !== 'string') return new LineFault('failed');
  const known = words[code];
  if (known !== undefined) return new LineFault(known);
  // OpenSSL's reasons are a fixed list, though the endpoint chooses among them.
  return new LineFault(
    code.startsWith('ERR_SSL_') ? `failed the TLS handshake (${code})` : `failed (${code})`,
  );
}

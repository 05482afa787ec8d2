/** Hosts by which a connection stays on this machine or its link, whatever the network is. */
import { isIP } from 'node:net';

/**
 * Loopback, unspecified and link-local addresses, those of clouds' metadata, and names that stand for loopback. `host`: without
 * brackets. What other names are looked up to is not known here.
 */
export function isOwnHost(host: string): boolean {
  const text = host.toLowerCase().replace(/\.$/, '');
  if (isIP(text) === 0) return text === 'localhost' || text.endsWith('.localhost');
  const plain = text.replace(/^::ffff:(?=\d+\.)/, '');
  if (isIP(plain) === 4) return /^(?:127|0)\.|^169\.254\./.test(plain);
  // Amazon's metadata has an address of its own.
  return (
    /^(?:[0:]*:)?0*[01]?$/.test(plain) || /^(?:fe[89ab]|fd00:ec2:)/.test(plain) || /^[0:]*:ffff:/.test(plain)
  );
}

/** The authorities that Node.js trusts where none are named, as its own TLS does: those that it brings, and those of NODE_EXTRA_CA_CERTS. */
import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';

let known: string | undefined;

/** PEM. */
export function defaultAuthorities(): string {
  known ??= [...rootCertificates, furtherOnes()].join('\n');
  return known;
}

/** Node.js warns of a file that it can not read, and goes on without. */
function furtherOnes(): string {
  const { NODE_EXTRA_CA_CERTS: path } = process.env;
  try {
    return path ? readFileSync(path, 'utf8') : '';
  } catch {
    return '';
  }
}

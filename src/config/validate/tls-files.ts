/** PEM files by which this node speaks TLS to a server: authorities that are trusted, and for mTLS a certificate and its key. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { resolve } from 'node:path';
import type { ClientTls } from '../../model/client-tls.js';
import type { Context } from './context.js';

export type TlsFile = keyof ClientTls;

/** Paths. */
export type WrittenTls = { readonly [Name in TlsFile]?: string | undefined };

type Say = (name: TlsFile, message: string) => void;

export function readTlsFiles(written: WrittenTls, context: Context, problem: Say): ClientTls {
  if (written.cert !== undefined && written.key === undefined)
    problem('cert', 'needs its private `key`, too');
  if (written.key !== undefined && written.cert === undefined)
    problem('key', 'needs its certificate, `cert`, too');
  const read = (name: TlsFile): ClientTls => {
    const path = written[name];
    if (path === undefined) return {};
    const found = readPem(name, path, context);
    if ('text' in found) return { [name]: found.text };
    problem(name, `${found.fault}: ${resolve(context.directory, path)}`);
    return {};
  };
  const texts = { ...read('ca'), ...read('cert'), ...read('key') };
  const [certificate, key] = [certificateIn(texts.cert), keyIn(texts.key)];
  if (certificate !== null && key !== null && !certificate.checkPrivateKey(key))
    problem('key', 'is not the key of `cert`: renew both together');
  return texts;
}

/** What is valid, and probably not intended. `logsIn`: it also has a user there. */
export function warnOfTlsFiles(written: WrittenTls, logsIn: boolean, context: Context, warn: Say): void {
  const key = written.key === undefined ? null : context.keyFile(resolve(context.directory, written.key));
  if (key !== null && 'isShared' in key && key.isShared)
    warn('key', 'may be read by other users of this machine: `chmod 600` it');
  for (const name of ['ca', 'cert'] as const) {
    const path = written[name];
    const found = path === undefined ? null : readPem(name, path, context);
    const certificate = found !== null && 'text' in found ? certificateIn(found.text) : null;
    const said = certificate && timeWarning(certificate, context.nowMs);
    if (said !== null) warn(name, said);
    if (name === 'cert' && logsIn && /^CN=/m.test(certificate?.subject ?? '')) warn(name, TWO_IDENTITIES);
  }
}

const TWO_IDENTITIES =
  'has a common name beside a `username`: etcd with --client-cert-auth refuses both together. Issue it without CN, such as for /O=anyport';

function timeWarning({ validFrom, validTo }: X509Certificate, nowMs: number): string | null {
  if (Date.parse(validTo) < nowMs) return `has expired (${validTo}): renew it`;
  return Date.parse(validFrom) > nowMs ? `is not valid before ${validFrom}: look at the clock` : null;
}

/** The content of a key is never shown. */
function readPem(name: TlsFile, path: string, context: Context): { text: string } | { fault: string } {
  const file = resolve(context.directory, path);
  const found = name === 'key' ? context.keyFile(file) : context.authorities(file);
  if ('fault' in found) return found;
  const fault = name === 'key' ? keyFault(found.text) : certificateFault(found.text);
  return fault === null ? { text: found.text } : { fault };
}

const certificateFault = (text: string): string | null =>
  certificateIn(text) === null ? 'has no certificate that can be read: expected PEM' : null;

function keyFault(text: string): string | null {
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(text))
    return 'is encrypted: expected a private key without passphrase, which only its owner may read';
  return keyIn(text) === null ? 'has no private key that can be read: expected PEM' : null;
}

/** The first of the file. */
const certificateIn = (text: string | undefined): X509Certificate | null =>
  text === undefined ? null : orNull(() => new X509Certificate(text));

const keyIn = (text: string | undefined): KeyObject | null =>
  text === undefined ? null : orNull(() => createPrivateKey(text));

function orNull<Value>(make: () => Value): Value | null {
  try {
    return make();
  } catch {
    return null;
  }
}

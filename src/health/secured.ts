/** TLS below a check: its keys, the handshake, and what is said of the certificate. */
import { readFile } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import type { CheckContext, Outcome, Zod } from './check.js';
import { flagField, textField } from './fields.js';
import { type Line, LineFault, type TlsFacts } from './line.js';
import { meaningOf, unwell } from './outcomes.js';

export interface CertificateOptions {
  readonly server_name?: string | undefined;
  readonly verify: boolean;
  readonly ca?: string | undefined;
}

export interface TlsOptions extends CertificateOptions {
  readonly tls: boolean;
}

const NAME = /^(?=.{1,253}$)[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/;

export const certificateFields = (zod: Zod) => ({
  server_name: textField(
    zod,
    "Name to ask for (SNI), which the certificate must hold; without it the endpoint's, which only `verify` compares",
    'a name such as `www.example.com`',
    (text) => NAME.test(text),
  ).optional(),
  verify: flagField(zod, false, 'The certificate must be for the name, and of an authority that is trusted'),
  ca: textField(
    zod,
    "PEM file of the authorities that `verify` trusts; without it the system's",
    'an absolute path',
    isAbsolute,
  ).optional(),
});

export const tlsFields = (zod: Zod) => ({
  tls: flagField(zod, false, 'Ask over TLS'),
  ...certificateFields(zod),
});

/** Where TLS is asked for, the handshake. An outcome: the certificate is not as it should be. */
export async function secure(
  line: Line,
  options: TlsOptions,
  context: CheckContext,
  alpn?: readonly string[],
): Promise<Outcome | null> {
  if (!options.tls) return null;
  const facts = await handshake(line, options, context, alpn);
  return faultOfCertificate(facts, options, context);
}

export async function handshake(
  line: Line,
  { ca, ...options }: CertificateOptions,
  context: CheckContext,
  alpn?: readonly string[],
): Promise<TlsFacts> {
  const authorities = ca === undefined ? undefined : await readAuthorities(ca);
  return line.startTls({
    serverName: nameOf(options, context),
    ...(alpn !== undefined && { alpn }),
    ...(authorities !== undefined && { ca: authorities }),
  });
}

async function readAuthorities(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    throw new LineFault('can not be asked: the `ca` file of its check can not be read');
  }
}

const nameOf = (
  { server_name }: Pick<CertificateOptions, 'server_name'>,
  context: Pick<CheckContext, 'serverName'>,
): string => server_name ?? context.serverName;

/** By OpenSSL's name. */
const faults: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'has expired',
  CERT_NOT_YET_VALID: 'is not valid yet',
  CERT_REVOKED: 'has been revoked',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'is of an authority that is not trusted',
  UNABLE_TO_GET_ISSUER_CERT: 'is of an authority that is not trusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'is of an authority that is not trusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'comes without the certificate of its authority',
  ERR_TLS_CERT_ALTNAME_INVALID: 'is for another name',
};

export function faultOfCertificate(
  { certificate, certificateFault }: TlsFacts,
  options: Pick<CertificateOptions, 'server_name' | 'verify'>,
  context: Pick<CheckContext, 'serverName'>,
): Outcome | null {
  const { server_name, verify } = options;
  if ((verify || server_name !== undefined) && !isFor(nameOf(options, context), certificate))
    return unwell(`its certificate is not for ${nameOf(options, context)}`);
  if (!verify || certificateFault === null) return null;
  return unwell(
    `its certificate ${meaningOf(faults, certificateFault, `is not trusted (${certificateFault})`)}`,
  );
}

const isFor = (name: string, certificate: PeerCertificate): boolean =>
  Object.keys(certificate).length > 0 && checkServerIdentity(name, certificate) === undefined;

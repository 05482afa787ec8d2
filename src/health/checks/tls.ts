/** A TLS handshake, and what the certificate says. */
import type { PeerCertificate } from 'node:tls';
import type { HealthCheck, Outcome } from '../check.js';
import { integerField } from '../fields.js';
import { unwell } from '../outcomes.js';
import { type CertificateOptions, certificateFields, faultOfCertificate, handshake } from '../secured.js';

export interface TlsCheckOptions extends CertificateOptions {
  readonly min_days: number;
}

const DAY_MS = 86_400_000;
const DAYS_MAX = 3650;

export const tls: HealthCheck<TlsCheckOptions> = {
  words: 'completes a TLS handshake',
  over: 'tcp',
  options: (zod) => ({
    ...certificateFields(zod),
    min_days: integerField(
      zod,
      'Days for which the certificate must still be valid; 0: not looked at',
      0,
      DAYS_MAX,
    ).default(0),
  }),
  async run(line, options, context) {
    const facts = await handshake(line, options, context);
    return (
      faultOfCertificate(facts, options, context) ??
      judgeExpiry(facts.certificate, options.min_days, Date.now())
    );
  },
};

export function judgeExpiry(certificate: PeerCertificate, minDays: number, nowMs: number): Outcome {
  const endMs = Date.parse(certificate.valid_to ?? '');
  if (Number.isNaN(endMs)) {
    return minDays === 0 ? { well: true } : unwell('shows no certificate with an end');
  }
  const days = Math.floor((endMs - nowMs) / DAY_MS);
  if (minDays === 0 || days >= minDays) return { well: true, note: `certificate valid for ${days} days` };
  return unwell(
    days < 0
      ? 'its certificate has expired'
      : `its certificate is valid for ${days} more days, not ${minDays}`,
  );
}

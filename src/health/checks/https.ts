/** As `http`, over TLS. */
import type { HealthCheck } from '../check.js';
import { type CertificateOptions, certificateFields } from '../secured.js';
import { askHttp, type RequestOptions, requestFields } from './http.js';

export const https: HealthCheck<RequestOptions & CertificateOptions> = {
  words: 'answers a request over TLS with a good status',
  over: 'tcp',
  options: (zod) => ({ ...requestFields(zod), ...certificateFields(zod) }),
  run: (line, options, context) => askHttp(line, { ...options, tls: true }, context),
};

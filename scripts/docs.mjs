/** Generates docs/ from the built program: `npm run build:ts && node scripts/docs.mjs`. */
import { writeFileSync } from 'node:fs';
import { configurationDocs } from '../dist/config/docs.js';
import { metricsDocs } from '../dist/metrics/docs.js';
import { protocolDocs } from '../dist/protocols/docs.js';

writeFileSync('docs/configuration.md', configurationDocs());
writeFileSync('docs/metrics.md', metricsDocs());
writeFileSync('docs/protocols.md', protocolDocs());

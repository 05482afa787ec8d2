/** Generates docs/ from the built program: `npm run build:ts && node scripts/docs.mjs`. */
import { writeFileSync } from 'node:fs';
import { controlDocs } from '../dist/admin/docs.js';
import { routes } from '../dist/admin/handlers/index.js';
import { openApi } from '../dist/admin/openapi.js';
import { version } from '../dist/base/version.js';
import { configurationDocs } from '../dist/config/docs.js';
import { metricsDocs } from '../dist/metrics/docs.js';
import { protocolDocs } from '../dist/protocols/docs.js';
import { libraryDocs } from './lib/library-docs.mjs';

writeFileSync('docs/admin-api.md', controlDocs());
writeFileSync('docs/openapi.json', `${JSON.stringify(openApi(routes, version), null, 2)}\n`);
writeFileSync('docs/configuration.md', configurationDocs());
writeFileSync('docs/metrics.md', metricsDocs());
writeFileSync('docs/protocols.md', protocolDocs());
writeFileSync('docs/library.md', libraryDocs());

/** Generates docs/metrics.md from the catalog. */
import {
  type ClosedLabel,
  entryOf,
  type MetricEntry,
  type MetricName,
  metricNames,
  scopes,
} from './catalog.js';
import { rowsMax } from './memory.js';

/** Rounded down to thousands, because rows of other scopes take some of the memory. */
const room = `${Math.floor(rowsMax('listener_protocol') / 1000)},000`;

const HEAD = `# Metrics

Generated from the catalog in \`src/metrics\`. \`/metrics\` on \`monitoring.metrics_port\` serves them in Prometheus' text format,
with prom-client's defaults for the process (\`process_*\`, \`nodejs_*\`).

**Every session is counted once**: per listener, \`anyport_accepted_total\` equals the sum of \`anyport_sessions_total\` and
\`anyport_sessions_active\` at every scrape. Sessions of a worker that died have the reason \`reset\`.

**Counts belong to names**: they survive the death of a worker and a new resolution of host names, whatever the order of
listeners, protocols and upstreams. Label values are configured names, protocol ids and fixed words; never what a client
sends.

**Only what has counted is shown**: of a counter with labels, the series above 0; of a gauge, those of whom anything else
has been counted as well. \`anyport_accepted_total\` is there for every listener, and so are series without labels.

**\`(other)\`**: a worker has room for about ${room} combinations of listener and protocol. Further names share one series with
this label value.
`;

const COLUMNS = ['name', 'kind', 'labels', 'meaning'];

export function metricsDocs(): string {
  const rows = [COLUMNS, COLUMNS.map(() => '---'), ...metricNames.map(cellsOf)];
  const table = rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
  return `${HEAD}\n${table}\n`;
}

function cellsOf(name: MetricName): string[] {
  const entry = entryOf(name);
  return [code(name), kindOf(entry), labelsOf(entry).join(', '), entry.help];
}

function kindOf({ kind, buckets }: MetricEntry): string {
  return buckets === undefined ? kind : `${kind}, ${buckets.length} buckets up to ${buckets.at(-1)} s`;
}

function labelsOf({ scope, by, labels = [] }: MetricEntry): string[] {
  const ids = scope === 'primary' ? [] : scopes[scope];
  return [...[...ids, ...labels].map(code), ...(by ? [closedLabel(by)] : [])];
}

/** Links the reasons, which are explained elsewhere; other values are listed. */
function closedLabel({ label, values }: ClosedLabel): string {
  if (values.length > 2) return `${code(label)} ([why a session ended](architecture.md))`;
  return `${code(label)} (${values.map(code).join(', ')})`;
}

const code = (text: string): string => `\`${text}\``;

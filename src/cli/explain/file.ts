/** Runs `anyport explain`: a file of bytes and a configuration in, an explanation on standard output. */

import { isIP } from 'node:net';
import { suggestion } from '../../base/nearest.js';
import { jsonLine } from '../../base/text.js';
import { compile } from '../../config/compile.js';
import type { Source } from '../../config/source.js';
import { upstreamOrigins } from '../../config/upstream-origins.js';
import type { ListenerConfig } from '../../model/config.js';
import { configuredUpstreams } from '../../model/configured-upstreams.js';
import type { Transport } from '../../model/protocol.js';
import { takesDatagrams, takesStreams } from '../../model/transports.js';
import { IdRegistry } from '../../plane/ids.js';
import { BAD_USAGE, Failure } from '../failure.js';
import { parseHex, readBytes } from '../input.js';
import { servicesBeside } from '../services-beside.js';
import { loadWithContributions } from '../with-contributions.js';
import { explain } from './explanation.js';
import { withForwards } from './forwards.js';
import { writtenRoutes } from './places.js';
import { explanationText } from './print.js';

export interface ExplainOptions {
  readonly config?: string;
  readonly listener?: string;
  readonly from?: string;
  readonly at?: string;
  readonly hex?: true;
  readonly udp?: true;
  readonly json?: true;
}

export async function explainFile(
  file: string,
  { config: path, listener, from = '', at, hex, udp, json }: ExplainOptions,
): Promise<void> {
  const sources: Source[] = [];
  const { config } = await loadWithContributions(path, (source) => sources.splice(0, 1, source));
  const index = indexOf(config.listeners, listener);
  const transport = transportTo(config.listeners[index] as ListenerConfig, udp ?? false);
  if (from !== '' && isIP(from) === 0) throw new Failure(`--from: \`${from}\` is no address`, BAD_USAGE);
  const nowMs = at === undefined ? Date.now() : timeOf(at);
  const input = await readBytes(file);
  const bytes = hex ? parseHex(input.toString('latin1')) : input;
  const compiled = compile(config, await servicesBeside(config), 1, new IdRegistry());
  const written = sources.flatMap((source) => writtenRoutes(compiled.routes, source));
  const plan = {
    ...compiled,
    routes: compiled.routes.map((route, each) => ({ ...route, name: written[each]?.name ?? route.name })),
  };
  const unplaced = await explain(plan, index, { source: from, bytes, transport }, nowMs);
  const target = configuredUpstreams(compiled).filter(({ name }) => name === unplaced.outcome.target);
  const [upstream] = upstreamOrigins(target, config.origins);
  const placed = {
    ...unplaced,
    ...(upstream && { upstream }),
    routes: unplaced.routes.map((row, each) => ({ ...row, place: written[each]?.place ?? null })),
  };
  const explanation = withForwards(placed, compiled, config, index);
  process.stdout.write(json ? jsonLine(explanation) : explanationText(explanation, plan));
}

/** What arrives: a datagram where the listener takes nothing else. */
function transportTo(listener: ListenerConfig, udp: boolean): Transport {
  if (udp && !takesDatagrams(listener))
    throw new Failure(`--udp: listener \`${listener.name}\` takes no datagrams`, BAD_USAGE);
  return udp || !takesStreams(listener) ? 'udp' : 'tcp';
}

function timeOf(text: string): number {
  const ms = Date.parse(text);
  if (!Number.isNaN(ms)) return ms;
  throw new Failure(`--at: \`${text}\` is no time: write one such as 2027-01-31T08:30Z`, BAD_USAGE);
}

function indexOf(listeners: readonly ListenerConfig[], wanted: string | undefined): number {
  const names = listeners.map(({ name }) => name);
  if (wanted === undefined && names.length === 1) return 0;
  if (wanted === undefined) throw new Failure(`--listener: name one of ${names.join(', ')}`, BAD_USAGE);
  const index = names.indexOf(wanted);
  if (index >= 0) return index;
  throw new Failure(`--listener: unknown listener \`${wanted}\`${suggestion(wanted, names)}`, BAD_USAGE);
}

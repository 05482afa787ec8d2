/** What a forward can not be, beside the other parts of the configuration: its ports, its upstream, and where that leads. */
import type { ListenerConfig, MonitoringConfig, UpstreamConfig } from '../../model/config.js';
import type { Transport } from '../../model/protocol.js';
import { transportsOf } from '../../model/transports.js';
import { saysFacts } from '../../protocols/proxy-writer.js';
import { factsKnownBy } from '../../upstream/known-by.js';
import { dialledBy } from '../own-listeners.js';
import type { Report } from '../report.js';
import type { Context } from './context.js';
import { isForward, type ListenerGroup } from './groups.js';
import { type OwnListeners, ownListeners, ownMonitoring } from './loops.js';

interface Resolved {
  readonly groups: readonly ListenerGroup[];
  readonly upstreams: readonly UpstreamConfig[];
  readonly monitoring: MonitoringConfig;
}

export function checkForwards(
  { groups, upstreams, monitoring }: Resolved,
  context: Context,
  report: Report,
): void {
  const forwards = groups.filter(isForward);
  const listeners = groups.flatMap((group) => group.listeners);
  const upstreamOf = new Map(upstreams.map((upstream) => [upstream.name, upstream]));
  const loops = new Loops(upstreamOf, ownListeners(listeners, context));
  for (const group of forwards) {
    checkMonitoring(group, monitoring, report);
    checkFacts(group, upstreamOf, report);
    const loop = group.listeners.map((listener) => loops.from(listener)).find((text) => text !== null);
    if (loop !== undefined) report.problem([...group.path, 'target'], loop);
  }
}

function checkMonitoring(
  { path, listeners }: ListenerGroup,
  monitoring: MonitoringConfig,
  report: Report,
): void {
  for (const { key, port } of ownMonitoring(monitoring, listeners))
    report.problem([...path, 'listen'], `${port} is monitoring.${key}: take another one`);
}

/** A session is passed on before it has said anything. */
function checkFacts(
  { path, listeners }: ListenerGroup,
  upstreamOf: ReadonlyMap<string, UpstreamConfig>,
  report: Report,
): void {
  const upstream = upstreamOf.get(listeners[0]?.forward?.upstream ?? '');
  if (upstream === undefined) return;
  const { name, options } = upstream;
  const problem = (what: string) =>
    report.problem([...path, 'target'], `nothing is read of what clients say here, and \`${name}\` ${what}`);
  const [fact] = factsKnownBy(options);
  if (fact !== undefined)
    problem(`knows them by ${fact}: let its \`hash_key\` and \`affinity\` be \`source\``);
  if (saysFacts(options.proxy_protocol)) problem('is told of it: leave that out of `proxy_protocol.tlvs`');
}

/** Forwards that lead to each other pass a session round until `max_connections` is reached. */
class Loops {
  readonly #upstreamOf: ReadonlyMap<string, UpstreamConfig>;
  readonly #own: OwnListeners;

  constructor(upstreamOf: ReadonlyMap<string, UpstreamConfig>, own: OwnListeners) {
    this.#upstreamOf = upstreamOf;
    this.#own = own;
  }

  /** Null: a session that comes in there does not come back. */
  from(start: ListenerConfig): string | null {
    const found = transportsOf(start).map((transport) => this.#over(transport, start));
    return found.find((text) => text !== null) ?? null;
  }

  #over(transport: Transport, start: ListenerConfig): string | null {
    const seen = new Set<ListenerConfig>();
    const waiting = this.#after(start, transport);
    for (let step = waiting.pop(); step !== undefined; step = waiting.pop()) {
      if (step.to === start)
        return seen.size === 0
          ? `\`${step.endpoint}\` is this forward itself: sessions would go round`
          : `leads back here, by forward \`${step.from}\` (\`${step.endpoint}\`): sessions would go round`;
      if (seen.has(step.to)) continue;
      seen.add(step.to);
      waiting.push(...this.#after(step.to, transport));
    }
    return null;
  }

  #after({ name, forward }: ListenerConfig, transport: Transport) {
    const upstream = this.#upstreamOf.get(forward?.upstream ?? '');
    return (upstream === undefined ? [] : dialledBy(upstream)).flatMap(({ name: endpoint, address }) => {
      const to = this.#own(address, transport);
      return to === undefined || to.forward === null ? [] : [{ from: name, endpoint, to }];
    });
  }
}

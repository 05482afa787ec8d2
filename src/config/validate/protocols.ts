/** Protocols in rank order: built-in or custom, configured or implied by a route or listener. */
import type { ProtocolConfig, TargetConfig } from '../../model/config.js';
import type { Transport } from '../../model/protocol.js';
import { transportsOf } from '../../model/transports.js';
import { protocols as builtIns, protocolById } from '../../protocols/index.js';
import { valuesOf } from '../../routing/values.js';
import type { Path } from '../path.js';
import type { Report } from '../report.js';
import type { ProtocolEntry } from '../schema/protocols.js';
import { suggest } from '../suggest.js';
import type { Context } from './context.js';
import { resolveModule } from './handlers.js';
import type { Entry, Shape } from './shape.js';
import { isCustom, resolveSignature } from './signature.js';
import type { Targets } from './targets.js';
import { hasOwnUpstream } from './upstreams.js';

/** Custom protocols rank before built-ins of the same priority: they were written for this port. */
const CUSTOM_RANK = Number.NEGATIVE_INFINITY;

const transportsOfBuiltIn = (id: string): readonly Transport[] => protocolById(id)?.transports ?? [];

/** Names valid without configuration. */
const knownIds: readonly string[] = builtIns.map(({ id }) => id);

/** Upper bound of a classifier (native/classifier/first_byte_index.h), shared with every built-in of its transport. */
const CLASSIFIED_MAX = 256;

function checkCount(configured: readonly ProtocolConfig[], report: Report): void {
  for (const transport of ['tcp', 'udp'] as const) {
    const known = knownIds.filter((id) => transportsOfBuiltIn(id).includes(transport));
    const customMax = CLASSIFIED_MAX - known.length;
    const custom = configured.filter(
      (each) => each.transports.includes(transport) && !known.includes(each.id),
    );
    if (custom.length <= customMax) continue;
    const message = `at most ${customMax} protocols that are not built in, got ${custom.length}`;
    return report.problem(['protocols'], message);
  }
}

/** Those of which there are listeners: sections other than `listeners` take streams. */
function servedOf({ server, listeners }: Shape): ReadonlySet<Transport> {
  const listed = (listeners ?? []).flatMap(({ value }) => transportsOf(value));
  return new Set(server.listen !== undefined || listeners === null ? ['tcp', ...listed] : listed);
}

export class ProtocolNames {
  /** In rank order. */
  readonly configured: readonly ProtocolConfig[];
  /** Those of datagrams alone, which no listener takes: id → name as written. */
  readonly #unserved: Map<string, string>;
  readonly #served: ReadonlySet<Transport>;
  readonly #listed: readonly string[];
  readonly #report: Report;

  constructor(shape: Shape, targets: Targets, context: Context, report: Report) {
    checkUnique(shape.protocols, report);
    this.#served = servedOf(shape);
    const listed = shape.protocols
      .flatMap((entry) => configure(entry, shape, targets, context, report) ?? [])
      .filter(({ transports }) => this.#isServed(transports));
    const named = implied(shape, listed).filter(({ transports }) => this.#isServed(transports));
    this.configured = inRankOrder([...listed, ...named]);
    checkCount(this.configured, report);
    this.#listed = shape.protocolNames.map((name) => name.toLowerCase());
    this.#unserved = new Map(
      shape.protocols
        .filter(({ value }) => !listed.some(({ name }) => name === value.name))
        .map(({ value }) => [value.name.toLowerCase(), value.name]),
    );
    this.#report = report;
  }

  /** Streams count even where there are none: what is then without effect is told by its routes. */
  #isServed(transports: readonly Transport[]): boolean {
    return transports.includes('tcp') || this.#served.has('udp');
  }

  get unserved(): readonly string[] {
    return [...this.#unserved.values()];
  }

  /** The configured name; null when no listener can recognise the protocol or the name is wrong (reported). */
  resolve(name: string, path: Path): string | null {
    const id = name.toLowerCase();
    const configured = this.configured.find((protocol) => protocol.id === id);
    if (configured !== undefined) return configured.name;
    if (this.#listed.includes(id)) return null;
    if (knownIds.includes(id)) this.#unserved.set(id, name);
    else {
      const known = [...this.configured.map((protocol) => protocol.name), ...knownIds];
      this.#report.problem(path, `unknown protocol \`${name}\`${suggest(name, known)}`);
    }
    return null;
  }
}

/** Null when it is wrong (reported). */
function configure(
  entry: Entry<ProtocolEntry>,
  { server }: Shape,
  targets: Targets,
  context: Context,
  report: Report,
): ProtocolConfig | null {
  const { path, value } = entry;
  const { name, priority = null } = value;
  const id = name.toLowerCase();
  const target = resolveTarget(entry, targets, report);
  if (isCustom(value)) {
    const signature = resolveSignature(entry, server.identify_min_bytes, report);
    const validator = resolveValidator(entry, context, report);
    const transports = transportsOf({ transport: value.transport ?? 'tcp' });
    return signature && { name, id, signature, transports, validator, priority, target };
  }
  if (knownIds.includes(id)) {
    if (value.transport !== undefined) {
      const own = transportsOfBuiltIn(id).join('+');
      const message = `is for custom protocols: \`${name}\` is built in, and recognised over ${own}`;
      report.problem([...path, 'transport'], message);
    }
    return builtIn(id, name, { priority, target });
  }
  const message = `unknown protocol \`${name}\`${suggest(name, knownIds)}`;
  report.missing(path, `${message} (a custom protocol needs \`start_bytes\` or \`regex\`)`, [
    ...path,
    'name',
  ]);
  return null;
}

const builtIn = (
  id: string,
  name: string,
  own: Pick<ProtocolConfig, 'priority' | 'target'>,
): ProtocolConfig => ({
  name,
  id,
  signature: null,
  transports: transportsOfBuiltIn(id),
  validator: null,
  ...own,
});

function resolveValidator(
  { path, value }: Entry<ProtocolEntry>,
  context: Context,
  report: Report,
): string | null {
  const { validator } = value;
  return validator === undefined ? null : resolveModule(validator, [...path, 'validator'], context, report);
}

function resolveTarget(
  { path, value }: Entry<ProtocolEntry>,
  targets: Targets,
  report: Report,
): TargetConfig | null {
  const { name, target, handler } = value;
  if (target !== undefined && handler !== undefined) {
    report.problem(path, 'has both `target` and `handler`: keep one');
  }
  if (hasOwnUpstream(value)) return { kind: 'upstream', upstream: name };
  return typeof target !== 'string' ? null : targets.resolveNameOrAddress(target, [...path, 'target']);
}

function checkUnique(entries: readonly Entry<ProtocolEntry>[], report: Report): void {
  const first = new Map<string, Path>();
  for (const { path, value } of entries) {
    const id = value.name.toLowerCase();
    const other = first.get(id);
    if (other === undefined) first.set(id, path);
    else {
      report.problem(
        [...path, 'name'],
        `protocol \`${value.name}\` is listed twice, first by ${report.nameOf(other)}`,
      );
    }
  }
}

/** What the proxy is asked in; HTTP/2 is told that it is not asked so. */
const askedIn = ({ connectProxy }: Shape): readonly string[] => {
  if (connectProxy === null) return [];
  return ['http', 'http2', ...(connectProxy.socks ? ['socks4', 'socks5'] : [])];
};

/** Built-ins named by a route or listener, or that the proxy reads, are accepted without an entry in `protocols`. */
function implied(shape: Shape, listed: readonly ProtocolConfig[]): ProtocolConfig[] {
  const named = [
    ...askedIn(shape),
    ...(shape.listeners ?? []).flatMap(({ value }) => value.protocols ?? []),
    ...shape.routes.flatMap(({ value: { when } }) =>
      [when, ...valuesOf(when.not)].flatMap(({ protocol }) => valuesOf(protocol)),
    ),
  ];
  const ids = new Set(named.map((name) => name.toLowerCase()));
  return [...ids]
    .filter((id) => knownIds.includes(id) && !listed.some((protocol) => protocol.id === id))
    .map((id) => builtIn(id, id, { priority: null, target: null }));
}

/** By priority, then rank, then file order (stable sort); refinements before their parent. */
function inRankOrder(protocols: readonly ProtocolConfig[]): ProtocolConfig[] {
  const priority = ({ priority }: ProtocolConfig) => priority ?? Number.MAX_SAFE_INTEGER;
  const rank = ({ id, signature }: ProtocolConfig) =>
    signature === null ? (protocolById(id)?.rank ?? 0) : CUSTOM_RANK;
  const sorted = protocols.toSorted((a, b) => priority(a) - priority(b) || compare(rank(a), rank(b)));
  return sorted.reduce(beforeParent, []);
}

/** Regardless of priority: behind its parent a refinement would never be reached. */
function beforeParent(ranked: readonly ProtocolConfig[], protocol: ProtocolConfig): ProtocolConfig[] {
  const refined = protocol.signature === null ? protocolById(protocol.id)?.refines : undefined;
  const parent = ranked.findIndex(({ id, signature }) => signature === null && id === refined);
  return parent < 0 ? [...ranked, protocol] : ranked.toSpliced(parent, 0, protocol);
}

const compare = (a: number, b: number): number => (a === b ? 0 : a < b ? -1 : 1);

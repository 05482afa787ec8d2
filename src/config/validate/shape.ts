/**
 * First step of validation: checks the shape of every entry by itself, so that one wrong key does not hide other
 * problems. Malformed entries are reported and left out.
 */
import type { z } from 'zod';
import { check } from '../issues.js';
import { expectedGot } from '../messages.js';
import { isMapping, type Path } from '../path.js';
import type { Report } from '../report.js';
import type { ConnectProxyEntry } from '../schema/connect-proxy.js';
import type { WrittenDistributed } from '../schema/distributed.js';
import type { DockerEntry } from '../schema/docker.js';
import { unknownKey } from '../schema/fields.js';
import type { ForwardEntry } from '../schema/forwards.js';
import { type SectionName, sectionNames, sections } from '../schema/index.js';
import type { KcpEntry } from '../schema/kcp.js';
import type { ListenerEntry } from '../schema/listeners.js';
import type { ProtocolEntry } from '../schema/protocols.js';
import type { RouteEntry } from '../schema/routes.js';
import type { UpstreamEntry } from '../schema/upstreams.js';

export interface Entry<Value> {
  readonly path: Path;
  readonly value: Value;
}

export interface Shape {
  readonly server: z.output<typeof sections.server>;
  readonly security: z.output<typeof sections.security>;
  readonly protocols: readonly Entry<ProtocolEntry>[];
  /** Names of all entries, including malformed ones: a reference to those is not a second mistake. */
  readonly protocolNames: readonly string[];
  /** Null: the section is absent. */
  readonly listeners: readonly Entry<ListenerEntry>[] | null;
  /** As `protocolNames`. */
  readonly listenerNames: readonly string[];
  readonly routes: readonly Entry<RouteEntry>[];
  readonly forwards: readonly Entry<ForwardEntry>[];
  readonly upstreams: readonly Entry<UpstreamEntry>[];
  /** As `protocolNames`. */
  readonly upstreamNames: readonly string[];
  readonly kcp: readonly Entry<KcpEntry>[];
  /** As `protocolNames`. */
  readonly kcpNames: readonly string[];
  /** Null: the section is absent. */
  readonly connectProxy: ConnectProxyEntry | null;
  /** Null: the section is absent. */
  readonly docker: DockerEntry | null;
  /** Null: off. */
  readonly monitoring: z.output<typeof sections.monitoring> | null;
  /** Null: off. */
  readonly admin: z.output<typeof sections.admin> | null;
  /** Null: the section is absent. */
  readonly distributed: WrittenDistributed | null;
  readonly logging: z.output<typeof sections.logging>;
}

export function readShape(value: unknown, report: Report): Shape {
  const file = isMapping(value) ? value : {};
  if (!isMapping(value)) report.problem([], expectedGot('a mapping of keys and values', value));
  for (const key of Object.keys(file)) {
    if (!(sectionNames as string[]).includes(key)) report.problem([key], unknownSection(key));
  }
  if ('include' in file) report.problem(['include'], 'is for files: give what they say in its place');
  return {
    server:
      check(sections.server, file.server ?? {}, ['server'], report, inSection) ?? sections.server.parse({}),
    security:
      check(sections.security, file.security ?? {}, ['security'], report, inSection) ??
      sections.security.parse({}),
    protocols: items('protocols', sections.protocols.element, file, report),
    protocolNames: namesIn(file.protocols),
    listeners: 'listeners' in file ? items('listeners', sections.listeners.element, file, report) : null,
    listenerNames: namesIn(file.listeners),
    routes: items('routes', sections.routes.element, file, report),
    forwards: items('forwards', sections.forwards.element, file, report),
    upstreams: namedEntries('upstreams', sections.upstreams.valueType, file, report),
    upstreamNames: keysOf(file.upstreams),
    kcp: namedEntries('kcp', sections.kcp.valueType, file, report),
    kcpNames: keysOf(file.kcp),
    connectProxy:
      'connect_proxy' in file
        ? check(sections.connect_proxy, file.connect_proxy ?? {}, ['connect_proxy'], report)
        : null,
    docker: 'docker' in file ? check(sections.docker, file.docker ?? {}, ['docker'], report) : null,
    monitoring:
      'monitoring' in file
        ? check(sections.monitoring, file.monitoring, ['monitoring'], report, inSection)
        : null,
    distributed:
      'distributed' in file
        ? check(sections.distributed, file.distributed ?? {}, ['distributed'], report)
        : null,
    admin: 'admin' in file ? check(sections.admin, file.admin ?? {}, ['admin'], report) : null,
    logging:
      check(sections.logging, file.logging ?? {}, ['logging'], report, inSection) ??
      sections.logging.parse({}),
  };
}

/** Suggests the section when a section's key stands at the top level. */
const unknownSection = (key: string): string => inSection(key) ?? unknownKey(key, sectionNames);

function inSection(key: string): string | undefined {
  const owner = (['server', 'monitoring', 'logging', 'security', 'admin'] as const).find((name) =>
    Object.hasOwn(sections[name].shape, key),
  );
  return owner && `unknown key \`${key}\`: did you mean \`${owner}.${key}\`?`;
}

function items<Item extends z.ZodType>(
  name: SectionName,
  item: Item,
  file: Record<string, unknown>,
  report: Report,
): Entry<z.output<Item>>[] {
  const list = name in file ? file[name] : [];
  if (Array.isArray(list)) return entries(item, list.entries(), [name], report);
  report.problem([name], expectedGot('a list', list));
  return [];
}

function namesIn(list: unknown): string[] {
  return Array.isArray(list) ? list.filter(isMapping).map(({ name }) => String(name)) : [];
}

const keysOf = (value: unknown): string[] => (isMapping(value) ? Object.keys(value) : []);

/** Of a section that maps names. */
function namedEntries<Item extends z.ZodType>(
  section: 'upstreams' | 'kcp',
  item: Item,
  file: Record<string, unknown>,
  report: Report,
): Entry<z.output<Item>>[] {
  const value = file[section];
  if (isMapping(value)) return entries(item, Object.entries(value), [section], report);
  const what = section === 'kcp' ? 'profiles' : section;
  if (value !== undefined) report.problem([section], expectedGot(`a mapping of names to ${what}`, value));
  return [];
}

function entries<Item extends z.ZodType>(
  schema: Item,
  values: Iterable<[string | number, unknown]>,
  base: Path,
  report: Report,
): Entry<z.output<Item>>[] {
  const found: Entry<z.output<Item>>[] = [];
  for (const [key, raw] of values) {
    if (report.isFull) break;
    const path = [...base, key];
    const value = check(schema, raw, path, report);
    if (value !== null) found.push({ path, value });
  }
  return found;
}

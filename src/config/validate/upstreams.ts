/** Upstreams from the `upstreams` section, and those implied by a protocol's own target or handler. */
import { resolve } from 'node:path';
import { addressFault, parseEndpoint, serviceOfFile } from '../../base/address.js';
import type { EndpointConfig, UpstreamConfig } from '../../model/config.js';
import type { UpstreamOptions } from '../../model/upstream-options.js';
import { expectedGot, withFault } from '../messages.js';
import type { Path } from '../path.js';
import type { Report } from '../report.js';
import type { ProtocolEntry } from '../schema/protocols.js';
import { type UpstreamEntry, upstream as upstreamSchema } from '../schema/upstreams.js';
import type { Context } from './context.js';
import { resolveHandler } from './handlers.js';
import type { Entry, Shape } from './shape.js';
import { checkSource } from './sources.js';
import { checkUpstreamName } from './targets.js';
import { resolveVia } from './via.js';

export const defaultUpstream: UpstreamEntry = upstreamSchema.parse({});
export const defaultOptions = optionsOf(defaultUpstream);

/** Whether a protocol's target is a list of addresses rather than a name. */
const isInline = (target: string): boolean => /[:,]/.test(target);

/** Whether the protocol, validated or not, implies an upstream of its own, under its name. */
export function hasOwnUpstream({ target, handler }: { target?: unknown; handler?: unknown }): boolean {
  if (handler !== undefined) return true;
  return target !== undefined && (typeof target !== 'string' || isInline(target));
}

export interface NamedUpstream extends Entry<UpstreamEntry> {
  readonly name: string;
}

/** Upstreams that are written as mappings: in their section, and as targets of protocols. */
export function writtenUpstreams({ upstreams, protocols }: Shape): NamedUpstream[] {
  const own = protocols.flatMap(({ path, value: { name, target } }) =>
    target === undefined || typeof target === 'string' || Array.isArray(target)
      ? []
      : [{ name, path: [...path, 'target'], value: target }],
  );
  return [...upstreams.map((entry) => ({ name: String(entry.path.at(-1)), ...entry })), ...own];
}

export function resolveUpstreams(shape: Shape, context: Context, report: Report): UpstreamConfig[] {
  const declared = shape.upstreams.map((entry) =>
    declaredUpstream(String(entry.path.at(-1)), entry, context, report),
  );
  const own = shape.protocols
    .filter(({ value }) => hasOwnUpstream(value))
    .map((entry) => ownUpstream(entry, context, report));
  for (const [index, { path }] of shape.protocols.filter(({ value }) => hasOwnUpstream(value)).entries()) {
    const name = own[index]?.name ?? '';
    if (shape.upstreamNames.includes(name)) {
      report.problem(
        path,
        `makes an upstream \`${name}\`, but upstreams.${name} is another: use its name as target`,
      );
    }
  }
  return [...declared, ...own];
}

function declaredUpstream(
  name: string,
  { path, value }: Entry<UpstreamEntry>,
  context: Context,
  report: Report,
): UpstreamConfig {
  checkUpstreamName(name, path, report);
  const listed = listedEndpoints(value.endpoints ?? [], [...path, 'endpoints'], report);
  const endpoints = [...listed, ...endpointsOfFiles(value.file_sd, context)];
  return { name, ...upstreamFrom({ path, value, endpoints }, context, report) };
}

interface WrittenUpstream {
  readonly path: Path;
  readonly value: Omit<UpstreamEntry, 'endpoints' | 'file_sd'>;
  readonly endpoints: readonly EndpointConfig[];
}

/** An upstream without its name. */
export function upstreamFrom(
  { path, value, endpoints }: WrittenUpstream,
  context: Context,
  report: Report,
): Omit<UpstreamConfig, 'name'> {
  checkSource({ path, value }, context, report);
  if ((endpoints.length === 0) === (value.handler === undefined)) {
    report.missing(path, 'needs either `endpoints`, `file_sd` or `handler`');
  }
  return {
    options: optionsOf(value),
    handler:
      value.handler === undefined
        ? null
        : resolveHandler(value.handler, [...path, 'handler'], context, report),
    endpoints,
    via: resolveVia(value, [...path, 'via'], context, report),
  };
}

type Listed = NonNullable<UpstreamEntry['endpoints']>[number];

function listedEndpoints(listed: readonly Listed[], path: Path, report: Report): EndpointConfig[] {
  checkEndpointNames(
    listed.map(({ address }) => address.name),
    (index) => [...path, index],
    report,
  );
  return listed.map(({ address, ...share }) => ({ ...address, ...share }));
}

function ownUpstream(
  { path, value }: Entry<ProtocolEntry>,
  context: Context,
  report: Report,
): UpstreamConfig {
  const { name, handler } = value;
  if (handler !== undefined) {
    const module = resolveHandler(handler, [...path, 'handler'], context, report);
    return { name, options: defaultOptions, handler: module, endpoints: [], via: null };
  }
  return targetUpstream(name, value.target ?? '', [...path, 'target'], context, report);
}

function targetUpstream(
  name: string,
  target: NonNullable<ProtocolEntry['target']>,
  path: Path,
  context: Context,
  report: Report,
): UpstreamConfig {
  const isList = Array.isArray(target);
  if (typeof target !== 'string' && !isList) {
    return declaredUpstream(name, { path, value: target }, context, report);
  }
  const endpoints = isList ? listedEndpoints(target, path, report) : inlineEndpoints(target, path, report);
  return { name, options: defaultOptions, handler: null, endpoints, via: null };
}

/** Addresses with commas. */
function inlineEndpoints(target: string, path: Path, report: Report): EndpointConfig[] {
  const names = target.split(',').map((text) => text.trim());
  checkEndpointNames(names, () => path, report);
  return names.flatMap((text) => {
    const address = parseEndpoint(text);
    if (address !== null) return [{ name: text, address, weight: 1, backup: false }];
    const message = expectedGot('an address such as `10.0.0.5:80` or `web:80`', text);
    report.problem(path, withFault(message, addressFault(text)));
    return [];
  });
}

/** One for each file, which stands for any number of them; of two for one file the first. */
export function endpointsOfFiles(paths: readonly string[] = [], { directory }: Context): EndpointConfig[] {
  const services = paths.map((path) => serviceOfFile(resolve(directory, path)));
  return [...new Set(services)].map((service) => ({
    name: service,
    address: { service },
    weight: 1,
    backup: false,
  }));
}

/** The options of an upstream, without endpoints, handler and the way to them. */
function optionsOf({ endpoints, file_sd, handler, via, ...options }: UpstreamEntry): UpstreamOptions {
  return options;
}

export function checkEndpointNames(
  names: readonly string[],
  pathOf: (index: number) => Path,
  report: Report,
): void {
  const seen = new Set<string>();
  for (const [index, name] of names.entries()) {
    if (seen.has(name)) report.problem(pathOf(index), `endpoint \`${name}\` is listed twice`);
    seen.add(name);
  }
}

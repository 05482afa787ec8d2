/** Endpoints as Prometheus' file_sd writes them: `[{ "targets": ["10.0.0.5:80"], "labels": { "weight": "3" } }]`. Pure. */
import { addressFault, hostPort, parseEndpoint } from '../base/address.js';
import { suggestion } from '../base/nearest.js';
import { visible } from '../base/text.js';
import type { DiscoveredEndpoint } from '../model/config.js';
import { weightLimits } from '../model/overrides.js';

export const targetFileLimits = {
  /** Of one file; a larger one, or one with more endpoints, is refused as a whole. */
  bytesMax: 1024 ** 2,
  endpointsMax: 1024,
} as const;

/** `fault`: what is wrong, where, and what to write instead. */
export type Targets = { readonly endpoints: readonly DiscoveredEndpoint[] } | { readonly fault: string };

/** Thrown and caught here. */
class Fault extends Error {}

/** As a whole or not at all; of two targets with one name the first counts. */
export function targetsIn(text: string): Targets {
  try {
    const groups = listOf(
      parsed(text),
      'the file',
      'a list of groups such as `[{ "targets": ["10.0.0.5:80"] }]`',
    );
    const all = groups.flatMap((group, index) => endpointsOf(group, `[${index}]`));
    const byName = new Map(all.toReversed().map((endpoint) => [endpoint.name, endpoint]));
    const endpoints = all.filter((endpoint) => byName.get(endpoint.name) === endpoint);
    if (endpoints.length > targetFileLimits.endpointsMax)
      throw new Fault(`has ${endpoints.length} targets, where ${targetFileLimits.endpointsMax} are allowed`);
    return { endpoints };
  } catch (error) {
    if (error instanceof Fault) return { fault: error.message };
    throw error;
  }
}

function parsed(text: string): unknown {
  // In the middle of being written, as a rule.
  if (text.trim() === '') throw new Fault('is empty: `[]` says that there are no endpoints');
  try {
    return JSON.parse(text);
  } catch (error) {
    const why = visible((error as Error).message);
    const placed = why.replace(
      / at position (\d+)(?: \(.*\))?$/,
      (_, at) => ` at ${placeIn(text, Number(at))}`,
    );
    throw new Fault(`is not JSON: ${placed}`);
  }
}

/** `line:column`. */
function placeIn(text: string, offset: number): string {
  const lines = text.slice(0, offset).split('\n');
  return `${lines.length}:${(lines.at(-1)?.length ?? 0) + 1}`;
}

const KEYS = ['targets', 'labels'];

function endpointsOf(group: unknown, at: string): DiscoveredEndpoint[] {
  const { targets, labels = {}, ...others } = mappingOf(group, at);
  const [unknown] = Object.keys(others);
  if (unknown !== undefined)
    throw new Fault(`${at}: unknown key \`${visible(unknown)}\`${suggestion(unknown, KEYS)}`);
  const weight = weightIn(mappingOf(labels, `${at}.labels`), `${at}.labels`);
  return listOf(targets, `${at}.targets`, 'a list of addresses').map((target, index) => {
    const { host, port } = placeOf(target, `${at}.targets[${index}]`);
    return { name: hostPort(host, port), host, port, weight, backup: false };
  });
}

function placeOf(target: unknown, at: string): { readonly host: string; readonly port: number } {
  const endpoint = typeof target === 'string' ? parseEndpoint(target) : null;
  if (endpoint !== null && 'port' in endpoint) return endpoint;
  const reason = typeof target === 'string' ? addressFault(target) : null;
  const got = `expected an address such as \`10.0.0.5:80\`, got ${shown(target)}`;
  throw new Fault(`${at}: ${got}${reason === null ? '' : ` (${reason})`}`);
}

/** The one of ours wins: others may mean something else by `weight`. */
function weightIn(labels: Readonly<Record<string, unknown>>, at: string): number {
  const key = ['anyport_weight', 'weight'].find((name) => labels[name] !== undefined);
  if (key === undefined) return 1;
  const { min, max } = weightLimits;
  const weight = /^\d+$/.test(String(labels[key])) ? Number(labels[key]) : -1;
  if (weight >= min && weight <= max) return weight;
  throw new Fault(`${at}.${key}: expected a whole number from ${min} to ${max}, got ${shown(labels[key])}`);
}

function listOf(value: unknown, at: string, expected: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new Fault(`${at}: expected ${expected}, got ${shown(value)}`);
}

function mappingOf(value: unknown, at: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new Fault(`${at}: expected a mapping, got ${shown(value)}`);
}

/** Of what is shown of a wrong value. */
const SHOWN_CHARACTERS_MAX = 60;

function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'a mapping';
  const text = visible(String(value));
  return `\`${text.length > SHOWN_CHARACTERS_MAX ? `${text.slice(0, SHOWN_CHARACTERS_MAX)}…` : text}\``;
}

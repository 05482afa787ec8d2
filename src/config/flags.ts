/** Merges command-line flags into the configuration: flags override the file, the file overrides defaults. */

import { isMapping, isUnder, type Path, pathText, withValue } from './path.js';
import type { Source } from './source.js';

/** Raw values: the schema checks them, as for the file. */
export interface Flags {
  readonly listen?: readonly string[] | undefined;
  readonly route?: readonly { readonly name: string; readonly target: string }[];
  readonly forward?: readonly ForwardFlag[];
  readonly workers?: string;
  readonly accept?: string;
  readonly maxConnections?: string;
  readonly logLevel?: string;
  readonly logFormat?: string;
  readonly admin?: string;
}

export interface ForwardFlag {
  readonly listen: string;
  /** As written behind the address; absent: none is. */
  readonly scheme?: string;
  readonly target: string;
}

interface Override {
  readonly path: Path;
  readonly value: unknown;
  readonly flag: string;
}

/** A number if it looks like one, as in YAML. */
const scalar = (text: string): string | number => (/^\d+$/.test(text) ? Number(text) : text);

function simpleOverrides(flags: Flags): Override[] {
  const rows: [Path, unknown, string][] = [
    [['server', 'listen'], flags.listen, '--listen'],
    [['server', 'workers'], flags.workers && scalar(flags.workers), '--workers'],
    [['server', 'accept'], flags.accept, '--accept'],
    [
      ['server', 'max_connections'],
      flags.maxConnections && scalar(flags.maxConnections),
      '--max-connections',
    ],
    [['logging', 'level'], flags.logLevel, '--log-level'],
    [['logging', 'format'], flags.logFormat, '--log-format'],
    [['admin', 'listen'], flags.admin, '--admin'],
  ];
  return rows
    .filter(([, value]) => value !== undefined)
    .map(([path, value, flag]) => ({ path, value, flag }));
}

/** Replaces the target of a listed protocol or adds the protocol; a repeated name adds an endpoint. */
function routeOverrides(routes: NonNullable<Flags['route']>, value: Record<string, unknown>): Override[] {
  const listed: unknown[] = Array.isArray(value.protocols) ? value.protocols : [];
  const ids = listed.map((entry) => (isMapping(entry) ? String(entry.name).toLowerCase() : ''));
  const targets = new Map<string, { name: string; addresses: string[]; index: number }>();
  for (const { name, target } of routes) {
    const id = name.toLowerCase();
    if (!ids.includes(id)) ids.push(id);
    const known = targets.get(id) ?? { name, addresses: [], index: ids.indexOf(id) };
    targets.set(id, { ...known, addresses: [...known.addresses, target] });
  }
  return [...targets.values()].flatMap(({ name, addresses, index }): Override[] => {
    const path = ['protocols', index];
    const target = addresses.join(',');
    const flag = `--route ${name}`;
    if (index >= listed.length) return [{ path, value: { name, target }, flag }];
    return [
      { path: [...path, 'target'], value: target, flag },
      { path: [...path, 'handler'], value: undefined, flag },
    ];
  });
}

/** Replaces a listed forward of the same address and scheme, or adds one; repeated, it adds an endpoint. */
function forwardOverrides(forwards: readonly ForwardFlag[], value: Record<string, unknown>): Override[] {
  const listed: unknown[] = Array.isArray(value.forwards) ? value.forwards : [];
  const keyOf = (listen: unknown, scheme: unknown) => `${String(listen)}/${String(scheme ?? 'tcp')}`;
  const keys = listed.map((entry) => (isMapping(entry) ? keyOf(entry.listen, entry.scheme) : ''));
  const found = new Map<string, ForwardFlag>();
  for (const forward of forwards) {
    const key = keyOf(forward.listen, forward.scheme);
    const target = [found.get(key)?.target, forward.target].filter((text) => text !== undefined).join(',');
    found.set(key, { ...forward, target });
  }
  let added = listed.length;
  return [...found].map(([key, { listen, scheme, target }]): Override => {
    const flag = `--forward ${listen}${scheme === undefined ? '' : `/${scheme}`}`;
    const index = keys.indexOf(key);
    if (index >= 0) return { path: ['forwards', index, 'target'], value: target, flag };
    const forward = { listen, ...(scheme !== undefined && { scheme }), target };
    return { path: ['forwards', added++], value: forward, flag };
  });
}

export function applyFlags(source: Source, flags: Flags): Source {
  if (!isMapping(source.value)) return source;
  const overrides = [
    ...simpleOverrides(flags),
    ...routeOverrides(flags.route ?? [], source.value),
    ...forwardOverrides(flags.forward ?? [], source.value),
  ];
  const value = overrides.reduce<unknown>((at, each) => withValue(at, each.path, each.value), source.value);
  const overrideOf = (path: Path) => overrides.find((each) => isUnder(path, each.path));
  return {
    value,
    files: source.files,
    unreadable: source.unreadable.filter(({ path }) => overrideOf(path) === undefined),
    place(path) {
      const override = overrideOf(path);
      if (override === undefined) return source.place(path);
      const inside = pathText(path.slice(override.path.length));
      return { file: null, line: null, column: null, path: `${override.flag}${inside && ` ${inside}`}` };
    },
  };
}

/** ANYPORT_NODE_ID, PROTOPLEX_NODE_ID and ETCD_ENDPOINTS, which win over `distributed` where there is such a section. */
import type { Environment } from './environment.js';
import { isMapping, isUnder, type Path, withValue } from './path.js';
import type { Source } from './source.js';

interface Override {
  readonly path: Path;
  readonly variable: string;
  readonly value: unknown;
}

/** Unset and empty are the same. */
export function applyClusterEnvironment(source: Source, environment: Environment): Source {
  if (!isMapping(source.value) || !isMapping(source.value.distributed)) return source;
  const overrides = overridesOf(environment);
  const overrideOf = (path: Path) => overrides.find((each) => isUnder(path, each.path));
  return {
    value: overrides.reduce<unknown>((value, each) => withValue(value, each.path, each.value), source.value),
    files: source.files,
    unreadable: source.unreadable.filter(({ path }) => overrideOf(path) === undefined),
    place(path) {
      const override = overrideOf(path);
      if (override === undefined) return source.place(path);
      return { file: null, line: null, column: null, path: override.variable };
    },
  };
}

function overridesOf(environment: Environment): Override[] {
  const nodeId = ['ANYPORT_NODE_ID', 'PROTOPLEX_NODE_ID'].find((name) => environment[name]);
  const endpoints = environment.ETCD_ENDPOINTS;
  return [
    ...(nodeId ? [{ path: ['distributed', 'node_id'], variable: nodeId, value: environment[nodeId] }] : []),
    ...(endpoints
      ? [
          {
            path: ['distributed', 'etcd_endpoints'],
            variable: 'ETCD_ENDPOINTS',
            value: endpoints
              .split(',')
              .map((each) => each.trim())
              .filter(Boolean),
          },
        ]
      : []),
  ];
}

/** What the kubelet would make of a Pod's first container, as arguments of `docker run`: as far as the objects here go. */
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { findObject } from './objects.js';

export type ProbeName = 'startupProbe' | 'livenessProbe' | 'readinessProbe';

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

interface Container extends Readonly<Record<ProbeName, Probe>> {
  readonly image: string;
  readonly command?: readonly string[];
  readonly env: readonly {
    readonly name: string;
    readonly valueFrom: { readonly fieldRef: { readonly fieldPath: string } };
  }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly resources: { readonly limits: { readonly memory: string } };
  readonly securityContext: {
    readonly allowPrivilegeEscalation: boolean;
    readonly readOnlyRootFilesystem: boolean;
    readonly capabilities: { readonly drop: readonly string[] };
  };
  readonly volumeMounts: readonly {
    readonly name: string;
    readonly mountPath: string;
    readonly readOnly?: boolean;
  }[];
}

export interface PodSpec {
  readonly securityContext: {
    readonly runAsUser: number;
    readonly runAsGroup: number;
    readonly fsGroup?: number;
  };
  readonly containers: readonly Container[];
  /** Those of a StatefulSet's claims are not among them. */
  readonly volumes?: readonly { readonly name: string; readonly configMap?: { readonly name: string } }[];
}

export interface Pod {
  readonly name: string;
  readonly address: string;
  /** Of its volumes. */
  readonly folder: string;
}

export function containerOf(spec: PodSpec, { name, address, folder }: Pod): string[] {
  const { runAsUser, runAsGroup, fsGroup } = spec.securityContext;
  const { image, command = [], resources, securityContext, volumeMounts, ...container } = firstOf(spec);
  const fields: Readonly<Record<string, string>> = { 'metadata.name': name, 'status.podIP': address };
  const env = Object.fromEntries(
    container.env.map((each) => [each.name, fields[each.valueFrom.fieldRef.fieldPath] ?? '']),
  );
  return [
    ...['--user', `${runAsUser}:${runAsGroup}`],
    ...(fsGroup === undefined ? [] : ['--group-add', String(fsGroup)]),
    ...['--memory', resources.limits.memory.replace(/i$/, '')],
    ...(securityContext.readOnlyRootFilesystem ? ['--read-only'] : []),
    ...(securityContext.allowPrivilegeEscalation ? [] : ['--security-opt', 'no-new-privileges']),
    ...securityContext.capabilities.drop.flatMap((each) => ['--cap-drop', each]),
    ...Object.entries(env).flatMap(([key, value]) => ['--env', `${key}=${value}`]),
    ...volumeMounts.flatMap((mount) => {
      const volume = makeVolume(spec, mount.name, folder);
      return ['--volume', `${volume}:${mount.mountPath}${mount.readOnly ? ':ro' : ''}`];
    }),
    image,
    ...command.map((word) => word.replaceAll(/\$\((\w+)\)/g, (_, key) => env[key] ?? '')),
  ];
}

/** Where the kubelet asks. */
export function probeOf(spec: PodSpec, probe: ProbeName, address: string): string {
  const container = firstOf(spec);
  const { path, port: name } = container[probe].httpGet;
  const port = container.ports.find((each) => each.name === name)?.containerPort;
  return `http://${address}:${port}${path}`;
}

function firstOf({ containers: [container] }: PodSpec): Container {
  if (container === undefined) throw new Error('a Pod without a container');
  return container;
}

/** Root's, but for the group. */
function makeVolume({ volumes = [], securityContext }: PodSpec, name: string, folder: string): string {
  const path = join(folder, name);
  mkdirSync(path, { recursive: true });
  const { fsGroup } = securityContext;
  if (fsGroup !== undefined) {
    chownSync(path, 0, fsGroup);
    chmodSync(path, 0o2775);
  }
  const configMap = volumes.find((each) => each.name === name)?.configMap;
  if (configMap !== undefined) writeConfigMap(path, findObject('ConfigMap', configMap.name).data);
  return path;
}

/** All files by one link, which is replaced. */
export function writeConfigMap(path: string, data: Readonly<Record<string, string>>): void {
  const version = mkdtempSync(join(path, '..version-'));
  chmodSync(version, 0o755);
  for (const [file, text] of Object.entries(data)) {
    writeFileSync(join(version, file), text, { mode: 0o644 });
    if (!existsSync(join(path, file))) symlinkSync(join('..data', file), join(path, file));
  }
  symlinkSync(basename(version), join(path, '..data_tmp'));
  renameSync(join(path, '..data_tmp'), join(path, '..data'));
}

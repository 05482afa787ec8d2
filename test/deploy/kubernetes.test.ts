/**
 * packaging/kubernetes as Kubernetes reads it: each object by its published types, strictly (a misspelled key is an error)
 * and by their formats; and what has to fit together across objects. No cluster is asked; Pods are in containers.test.ts.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseDuration } from '../../src/base/duration.js';
import { runProgram } from '../support/process.js';
import { FOLDER, findObject, type KubernetesObject, objectFiles, objects } from './objects.js';

/** Five files of 64 MB, which etcd keeps. */
const ETCD_LOG_BYTES = 5 * 64e6;

/** Of one of the packages of types, whose folders are the groups' names. */
const moduleOf = ({ apiVersion, kind }: KubernetesObject): string =>
  `kubernetes-models/${apiVersion}/${kind}`;

describe('objects', () => {
  test('have only keys that Kubernetes knows, of the right types', async () => {
    // Types are found from where the packages are.
    const file = resolve('node_modules', `.objects-${process.pid}.ts`);
    writeFileSync(file, objects.map(typed).join('\n'));
    try {
      const { status, stdout } = await compile(file);
      expect(stdout).toBe('');
      expect(status).toBe(0);
    } finally {
      rmSync(file);
    }
  });

  test('have values in the forms that Kubernetes knows', () => {
    const load = createRequire(import.meta.url);
    for (const object of objects) {
      const Model = load(moduleOf(object))[object.kind];
      expect(() => new Model(object).validate(), `${object.kind} ${object.metadata.name}`).not.toThrow();
    }
  });

  test('are all applied by the kustomization', () => {
    const { resources } = parse(readFileSync(join(FOLDER, 'kustomization.yaml'), 'utf8'));
    expect(resources.toSorted()).toEqual(objectFiles.toSorted());
  });
});

function typed(object: KubernetesObject, index: number): string {
  const text = JSON.stringify(object, null, 1);
  return `export const object${index}: import('${moduleOf(object)}').I${object.kind} = ${text};`;
}

const compile = (file: string) =>
  runProgram(resolve('node_modules/.bin/tsc'), [
    ...[
      '--noEmit',
      '--strict',
      '--skipLibCheck',
      '--ignoreConfig',
      '--module',
      'nodenext',
      '--types',
      'node',
      file,
    ],
  ]);

describe('together', () => {
  const deployment = findObject('Deployment', 'anyport').spec;
  const etcd = findObject('StatefulSet', 'anyport-etcd').spec;
  const pod = deployment.template.spec;
  const container = pod.containers[0];
  const configuration = parse(findObject('ConfigMap', 'anyport').data['anyport.yaml']);

  const optionOf = (name: string): string => {
    const start = `--${name}=`;
    const option = etcd.template.spec.containers[0].command.find((word: string) => word.startsWith(start));
    return option?.slice(start.length) ?? '';
  };

  test('a Pod may drain to its end', () => {
    const { drain_delay, graceful_shutdown_timeout } = configuration.server;
    const drainMs = ms(drain_delay) + ms(graceful_shutdown_timeout);
    expect(pod.terminationGracePeriodSeconds * 1000).toBeGreaterThanOrEqual(drainMs + 5000);
    // Not ready, as the probe finds, before connections are refused.
    const { periodSeconds, failureThreshold, timeoutSeconds } = container.readinessProbe;
    expect(ms(drain_delay)).toBeGreaterThan((periodSeconds * failureThreshold + timeoutSeconds) * 1000);
  });

  test('ports are those of the configuration', () => {
    const ports = Object.fromEntries(
      container.ports.map(({ name, containerPort }: { name: string; containerPort: number }) => [
        name,
        containerPort,
      ]),
    );
    expect(ports).toEqual({
      front: Number(configuration.server.listen.slice(1)),
      metrics: configuration.monitoring.metrics_port,
      health: configuration.monitoring.health_check_port,
    });
    expect(findObject('Service', 'anyport').spec.ports).toMatchObject([{ targetPort: 'front' }]);
  });

  test('who selects Pods selects those that are made', () => {
    const pods = [deployment, etcd].map(({ template }) => JSON.stringify(template.metadata.labels));
    for (const object of objects)
      for (const labels of selectedBy(object)) expect(pods, object.kind).toContain(JSON.stringify(labels));
    // Its own, and not those of others.
    for (const kind of ['Service', 'PodDisruptionBudget'])
      for (const [name, { template }] of [
        ['anyport', deployment],
        ['anyport-etcd', etcd],
      ])
        expect(selectedBy(findObject(kind, name))).toEqual([template.metadata.labels]);
  });

  test('containers have no rights, and a share of the machine', () => {
    for (const { spec } of [deployment.template, etcd.template]) {
      expect(spec).toMatchObject({ automountServiceAccountToken: false });
      expect(spec.securityContext).toMatchObject({
        ...{ runAsNonRoot: true, runAsUser: 10001, fsGroup: 10001 },
        seccompProfile: { type: 'RuntimeDefault' },
      });
      expect(spec.containers[0].securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      const { requests, limits } = spec.containers[0].resources;
      expect(bytes(requests.memory)).toBeLessThanOrEqual(bytes(limits.memory));
      // The autoscaler goes by the share of it that is taken.
      expect(requests.cpu).toMatch(/^\d+m$/);
    }
  });

  test('the autoscaler adds Pods before they are full, and none of them is the last', () => {
    const { minReplicas, metrics, scaleTargetRef } = findObject('HorizontalPodAutoscaler', 'anyport').spec;
    const sessions = metrics.find(({ type }: { type: string }) => type === 'Pods').pods;
    expect(Number(sessions.target.averageValue)).toBeLessThan(configuration.server.max_connections);
    expect(findObject(scaleTargetRef.kind, scaleTargetRef.name).spec.replicas).toBeUndefined();
    const { maxUnavailable } = findObject('PodDisruptionBudget', 'anyport').spec;
    expect(maxUnavailable).toBeLessThan(minReplicas);
  });

  test('members of etcd that its budget lets go leave a majority, and they find each other before any is ready', () => {
    const { maxUnavailable } = findObject('PodDisruptionBudget', 'anyport-etcd').spec;
    expect(etcd.replicas - maxUnavailable).toBeGreaterThan(etcd.replicas / 2);
    expect(findObject('Service', 'anyport-etcd').spec).toMatchObject({
      ...{ clusterIP: 'None', publishNotReadyAddresses: true },
    });
  });

  test('a member of etcd is full before its volume is', () => {
    const quota = Number(optionOf('quota-backend-bytes'));
    const [claim] = etcd.volumeClaimTemplates;
    const [mount] = etcd.template.spec.containers[0].volumeMounts;
    expect(mount.name).toBe(claim.metadata.name);
    expect(optionOf('data-dir')).toContain(mount.mountPath);
    // The store, a snapshot of it and the log.
    expect(bytes(claim.spec.resources.requests.storage)).toBeGreaterThanOrEqual(2 * quota + ETCD_LOG_BYTES);
  });

  test('members of etcd know each other, and anyport knows them', () => {
    const { replicas, serviceName } = etcd;
    const names = Array.from({ length: replicas }, (_, index) => `anyport-etcd-${index}.${serviceName}`);
    expect(configuration.distributed.etcd_endpoints).toEqual(names.map((name) => `http://${name}:2379`));
    const members = names.map((name, index) => `anyport-etcd-${index}=http://${name}:2380`);
    expect(optionOf('initial-cluster')).toBe(members.join(','));
  });
});

/** Labels by which it names Pods, wherever it does: as a selector, or as neighbours. */
function selectedBy(part: unknown): unknown[] {
  if (typeof part !== 'object' || part === null) return [];
  return Object.entries(part).flatMap(([key, value]) => {
    if (key === 'matchLabels' || (key === 'selector' && value.matchLabels === undefined)) return [value];
    return selectedBy(value);
  });
}

/** Of a quantity in powers of 1,024. */
function bytes(quantity: string): number {
  const [, digits, unit = ''] = /^(\d+)([MG])i$/.exec(quantity) ?? [];
  const power = { M: 2, G: 3 }[unit];
  if (power === undefined) throw new Error(`no quantity of bytes: ${quantity}`);
  return Number(digits) * 1024 ** power;
}

function ms(text: string): number {
  const parsed = parseDuration(text);
  if (parsed === null) throw new Error(`no duration: ${text}`);
  return parsed;
}

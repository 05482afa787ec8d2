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
  const pod = deployment.template.spec;
  const container = pod.containers[0];
  const configuration = parse(findObject('ConfigMap', 'anyport').data['anyport.yaml']);

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
    for (const [kind, name] of [
      ['Deployment', 'anyport'],
      ['StatefulSet', 'anyport-etcd'],
    ] as const) {
      const { labels } = findObject(kind, name).spec.template.metadata;
      expect(labels).toMatchObject(findObject(kind, name).spec.selector.matchLabels);
      expect(labels).toMatchObject(findObject('Service', name).spec.selector);
      expect(labels).toMatchObject(findObject('PodDisruptionBudget', name).spec.selector.matchLabels);
    }
  });

  test('containers have no rights', () => {
    for (const { spec } of [deployment.template, findObject('StatefulSet', 'anyport-etcd').spec.template]) {
      expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 10001 });
      expect(spec.containers[0].securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
    }
  });

  test('members of etcd know each other, and anyport knows them', () => {
    const { replicas, serviceName, template } = findObject('StatefulSet', 'anyport-etcd').spec;
    const names = Array.from({ length: replicas }, (_, index) => `anyport-etcd-${index}.${serviceName}`);
    expect(configuration.distributed.etcd_endpoints).toEqual(names.map((name) => `http://${name}:2379`));
    const cluster = template.spec.containers[0].command.find((each: string) =>
      each.startsWith('--initial-cluster='),
    );
    const members = names.map((name, index) => `anyport-etcd-${index}=http://${name}:2380`);
    expect(cluster).toBe(`--initial-cluster=${members.join(',')}`);
  });
});

function ms(text: string): number {
  const parsed = parseDuration(text);
  if (parsed === null) throw new Error(`no duration: ${text}`);
  return parsed;
}

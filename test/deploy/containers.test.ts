/**
 * The image that the Dockerfile makes, alone, as Pods of packaging/kubernetes and in packaging/compose: what is in it, and how its containers start, serve and
 * end. Programs of this machine stand in for the images of others.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { EtcdClient } from '../../src/cluster/etcd/client.js';
import { Docker, dockerTools, NETWORK } from '../support/docker.js';
import { httpRequest } from '../support/flights.js';
import { parseMetrics, total } from '../support/metrics.js';
import { freePort } from '../support/ports.js';
import { cleanEnvironment, runProgram } from '../support/process.js';
import { dial } from '../support/tcp.js';
import { tempFolder } from '../support/temp.js';
import { describeAsRoot, describeWith } from '../support/tools.js';
import { eventually } from '../support/wait.js';
import { findObject } from './objects.js';
import { containerOf, type PodSpec, type ProbeName, probeOf, writeConfigMap } from './pods.js';
import { buildImage } from './program-image.js';

/** Of what lies over Node.js. */
const PROGRAM_MB_MAX = 30;
const RESTRICTED = ['--read-only', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges'];

const COMPOSE_FILE = resolve('packaging/compose/compose.yaml');
const { services } = parse(readFileSync(COMPOSE_FILE, 'utf8')) as {
  services: Record<string, { image: string }>;
};
const imageOf = (service: string): string => services[service]?.image ?? '';

const NGINX_CONF = `
events {}
http {
  access_log off;
  server { listen 80; root /usr/share/nginx/html; }
}`;

describeAsRoot('containers', () => {
  describeWith(
    ...dockerTools,
    'docker-compose',
    '/usr/sbin/nginx',
    '/usr/bin/redis-server',
    '/usr/bin/etcd',
  )('', () => {
    let docker: Docker;

    beforeAll(async () => {
      docker = await Docker.start();
      await buildImage(docker, imageOf('anyport-1'));
      await docker.makeImage(imageOf('etcd'), { programs: ['/usr/bin/etcd'] });
    });
    afterAll(() => docker.remove());

    describe('the image', () => {
      let port: number;

      beforeAll(async () => {
        port = await freePort();
        await docker.run(
          ...[
            'run',
            '--detach',
            '--name',
            'demo',
            '--network',
            NETWORK,
            '--publish',
            `127.0.0.1:${port}:9090`,
          ],
          ...[...RESTRICTED, '--health-interval', '1s', 'anyport'],
        );
        await eventually('the demonstration', () => serves());
      });

      const client = () => dial(port);
      /** The engine accepts before the container does. */
      const serves = async () => {
        const peer = (await client()).send('PING\r\n');
        await Promise.race([peer.ended, peer.bytes(7)]);
        peer.finish();
        return peer.received.toString() === '+PONG\r\n';
      };
      const inspect = async (format: string) =>
        (await docker.run('inspect', '--format', format, 'demo')).trim();

      test('has the program and what it needs to run, and nothing to build it with', async () => {
        const sizes = await docker.run('history', '--human=false', '--format', '{{.Size}}', 'anyport');
        // The last is the image that it is made from.
        const own = sizes.trim().split('\n').slice(0, -1).map(Number);
        expect(own.reduce((sum, size) => sum + size, 0) / 1e6).toBeLessThan(PROGRAM_MB_MAX);
        const modules = await docker.run('exec', 'demo', 'ls', '/opt/anyport/node_modules');
        expect(modules.split('\n')).toContain('zod');
        expect(modules).not.toMatch(/typescript|vitest|node-gyp/);
      });

      test('says its ports, how it is asked and how it is told to stop, with no shell between', async () => {
        const { ExposedPorts, ...config } = JSON.parse(await inspect('{{json .Config}}'));
        const { listeners, monitoring } = parse(readFileSync('packaging/docker/anyport.yaml', 'utf8'));
        const ports = [listeners[0].address.slice(1), monitoring.metrics_port, monitoring.health_check_port];
        expect(Object.keys(ExposedPorts)).toEqual(ports.map((each) => `${each}/tcp`));
        expect(config).toMatchObject({
          ...{ Entrypoint: ['anyport'], Cmd: ['run'], StopSignal: 'SIGTERM' },
          Healthcheck: { Test: ['CMD', 'node', '/opt/anyport/health.mjs'] },
        });
      });

      test('runs as a user without rights, on a root that it can not write to', async () => {
        const status = readFileSync(`/proc/${await inspect('{{.State.Pid}}')}/status`, 'utf8');
        const words = Object.fromEntries(status.split('\n').map((line) => line.split(':\t')));
        expect(words.Uid).toBe('10001\t10001\t10001\t10001');
        expect(words.CapEff).toMatch(/^0+$/);
        expect(words.CapBnd).toMatch(/^0+$/);
        await expect(docker.run('exec', 'demo', 'touch', '/etc/anyport/new')).rejects.toThrow('Read-only');
      });

      test('serves what the demonstration serves, and says that it is healthy', async () => {
        const peer = (await client()).send(httpRequest);
        expect((await peer.bytes(15)).toString()).toMatch(/^HTTP\/1\.1 200 OK/);
        peer.finish();
        await eventually('health', async () => (await inspect('{{.State.Health.Status}}')) === 'healthy');
      });

      test('with a configuration that is not valid says why, and ends with status 2', async () => {
        const wrong = ['run', '--name', 'wrong', '--network', 'none', ...RESTRICTED, 'anyport'];
        await expect(docker.run(...wrong, 'run', '--accept', 'all')).rejects.toThrow('reuseport');
        expect((await docker.run('wait', 'wrong')).trim()).toBe('2');
      });

      test('lets sessions end when it is stopped, and ends with status 0', async () => {
        const session = (await client()).send('PING\r\n');
        await session.bytes(7);
        const stopped = docker.run('stop', 'demo');
        await eventually('no more connections', async () => !(await serves()));
        session.send('ECHO more\r\n').finish();
        expect((await session.bytes('+PONG\r\n$4\r\nmore\r\n'.length)).toString()).toBe(
          '+PONG\r\n$4\r\nmore\r\n',
        );
        await stopped;
        expect(await inspect('{{.State.ExitCode}}')).toBe('0');
        const lines = (await docker.run('logs', 'demo'))
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line));
        expect(lines.find(({ msg }) => msg === 'drained')).toMatchObject({ cut: 0 });
      });
    });

    describe('Pods of Kubernetes', () => {
      interface Running {
        readonly name: string;
        readonly address: string;
        readonly spec: PodSpec;
      }

      const etcd = findObject('StatefulSet', 'anyport-etcd').spec;
      const pod = findObject('Deployment', 'anyport').spec.template;
      const folder = tempFolder();
      const members: Running[] = [];
      let anyport: Running;

      beforeAll(async () => {
        for (let index = 0; index < etcd.replicas; index++) {
          const name = `anyport-etcd-${index}`;
          const alias = ['--network-alias', `${name}.${etcd.serviceName}`];
          members.push(await start(etcd.template.spec, name, 30 + index, alias));
        }
        await docker.run('tag', imageOf('anyport-1'), pod.spec.containers[0].image);
        anyport = await start(pod.spec, 'anyport-abc', 40);
      });
      afterAll(() => folder.remove());

      /** `number`: the last of its address. */
      async function start(
        spec: PodSpec,
        name: string,
        number: number,
        options: readonly string[] = [],
      ): Promise<Running> {
        const address = docker.addressOf(number);
        const place = ['--network', NETWORK, '--ip', address, '--name', name];
        const container = containerOf(spec, { name, address, folder: join(folder.path, name) });
        await docker.run('run', '--detach', ...place, ...options, ...container);
        return { name, address, spec };
      }

      const kill = (killed: readonly Running[]) => docker.run('kill', ...killed.map(({ name }) => name));

      const passes = ({ spec, address }: Running, probe: ProbeName) =>
        fetch(probeOf(spec, probe, address)).then(
          ({ ok }) => ok,
          () => false,
        );
      const becomes = (wanted: boolean, running: Running, probe: ProbeName) =>
        eventually(`${probe} of ${running.name}: ${wanted}`, async () => {
          if ((await passes(running, probe)) === wanted) return true;
          await docker.expectRunning(running.name);
          return false;
        });
      const metrics = async () => {
        const { 'prometheus.io/port': port, 'prometheus.io/path': path = '/metrics' } =
          pod.metadata.annotations;
        return parseMetrics(await (await fetch(`http://${anyport.address}:${port}${path}`)).text());
      };
      const metricBecomes = (name: string, value: number) =>
        eventually(`${name}: ${value}`, async () => total(await metrics(), name) === value);

      test.each<ProbeName>(['startupProbe', 'livenessProbe', 'readinessProbe'])(
        'all are well by their %s',
        async (probe) => {
          for (const each of [...members, anyport]) await becomes(true, each, probe);
        },
      );

      test('every member of etcd knows anyport by the name and the address of its Pod', async () => {
        for (const { address } of members) {
          const client = new EtcdClient({ endpoints: [`http://${address}:2379`] });
          const key = `/anyport/nodes/${anyport.name}`;
          const [node] = await eventually(key, async () => {
            const { items } = await client.get(key);
            return items.length > 0 && items;
          });
          client.close();
          expect(JSON.parse(String(node?.value))).toMatchObject({
            id: anyport.name,
            address: `${anyport.address}:9090`,
          });
        }
      });

      test('its annotations lead to the metric that the autoscaler goes by', async () => {
        const { metrics: wanted } = findObject('HorizontalPodAutoscaler', 'anyport').spec;
        const { name } = wanted.find(({ type }: { type: string }) => type === 'Pods').pods.metric;
        expect((await metrics()).map((sample) => sample.name)).toContain(name);
      });

      test('its memory limit suffices for its configuration, also at a peak', async () => {
        // The open files of this machine may not.
        const answer = await docker.run('exec', anyport.name, 'sh', '-c', 'anyport doctor --json; true');
        const { findings } = JSON.parse(answer) as { findings: { check: string; verdict: string }[] };
        expect(findings.find(({ check }) => check === 'memory')).toMatchObject({
          verdict: 'ok',
          there: expect.stringContaining('control group'),
        });
      });

      test('a change of the ConfigMap is in force without a restart', async () => {
        const { data } = findObject('ConfigMap', 'anyport');
        const text = data['anyport.yaml'].replace(/(max_connections:) \d+/, '$1 4321');
        writeConfigMap(join(folder.path, anyport.name, 'configuration'), { 'anyport.yaml': text });
        await metricBecomes('anyport_max_connections', 4321);
      });

      test('members of etcd that its budget lets go are not missed, and without a majority anyport goes on', async () => {
        const { maxUnavailable } = findObject('PodDisruptionBudget', 'anyport-etcd').spec;
        const left = members.slice(maxUnavailable);
        await kill(members.slice(0, maxUnavailable));
        for (const each of left) await becomes(true, each, 'readinessProbe');
        const [last, ...others] = left as [Running, ...Running[]];
        await kill(others);
        await becomes(false, last, 'readinessProbe');
        expect(await passes(anyport, 'readinessProbe')).toBe(true);
      });

      test('one that is to go says so at once, and takes connections until others have heard', async () => {
        await docker.run('kill', '--signal', 'TERM', anyport.name);
        await becomes(false, anyport, 'readinessProbe');
        expect(await passes(anyport, 'livenessProbe')).toBe(true);
        const accepted = total(await metrics(), 'anyport_accepted_total');
        const [{ containerPort: port }] = pod.spec.containers[0].ports;
        const peer = connect({ port, host: anyport.address });
        await metricBecomes('anyport_accepted_total', accepted + 1);
        peer.destroy();
      });
    });

    describe('compose', () => {
      const folder = tempFolder();
      let environment: NodeJS.ProcessEnv;
      const ports: number[] = [];
      const metricsPorts: number[] = [];

      const compose = async (...args: readonly string[]) => {
        const env = cleanEnvironment({ ...docker.environment, ...environment });
        const command = ['--file', COMPOSE_FILE, '--project-name', 'example', ...args];
        const { status, stdout, stderr } = await runProgram('docker-compose', command, { env });
        if (status !== 0) throw new Error(`docker-compose ${args.join(' ')}: ${stderr}`);
        return stdout;
      };

      beforeAll(async () => {
        ports.push(await freePort(), await freePort());
        metricsPorts.push(await freePort(), await freePort());
        environment = {
          ANYPORT_1_PORT: String(ports[0]),
          ANYPORT_2_PORT: String(ports[1]),
          ANYPORT_1_METRICS_PORT: String(metricsPorts[0]),
          ANYPORT_2_METRICS_PORT: String(metricsPorts[1]),
        };
        await makeImages();
        await compose('up', '--detach', '--no-build');
      });
      afterAll(async () => {
        await compose('down', '--volumes', '--timeout', '0');
        folder.remove();
      });

      async function makeImages(): Promise<void> {
        const conf = join(folder.path, 'nginx.conf');
        writeFileSync(conf, NGINX_CONF);
        const accounts = { '/etc/passwd': '/etc/passwd', '/etc/group': '/etc/group' };
        await docker.makeImage(
          imageOf('redis'),
          { programs: ['/usr/bin/redis-server'] },
          'CMD ["redis-server", "--protected-mode", "no"]',
        );
        await docker.makeImage(
          imageOf('web'),
          {
            programs: ['/usr/sbin/nginx'],
            files: { '/etc/nginx/nginx.conf': conf, ...accounts },
            folders: ['/run', '/var/log/nginx', '/var/lib/nginx'],
          },
          'CMD ["nginx", "-g", "user root; daemon off;"]',
        );
      }

      const answer = async (port: number, question: string, ends: string) => {
        const peer = (await dial(port)).send(question);
        const whole = () => peer.received.includes(ends) || peer.ending !== undefined;
        await eventually('an answer', whole);
        peer.reset();
        return peer.received.toString();
      };
      const answers = (port: number, question: string, ends: string) =>
        eventually(`${ends} from ${port}`, async () => (await answer(port, question, ends)).includes(ends));

      test('both nodes lead to the web server and to Redis, on one port', async () => {
        const [first = 0, second = 0] = ports;
        for (const port of ports) await answers(port, httpRequest, 'A web server behind anyport');
        await answers(first, 'SET from first\r\n', '+OK\r\n');
        await answers(second, 'GET from\r\n', 'first\r\n');
      });

      test('both nodes know each other by etcd', async () => {
        for (const port of metricsPorts)
          await eventually(`two nodes at ${port}`, async () => {
            const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
            return total(parseMetrics(await answer.text()), 'anyport_cluster_nodes') === 2;
          });
      });

      test('one that is stopped ends well, and moves nothing of the other', async () => {
        const [, second = 0] = ports;
        const session = (await dial(second)).send('PING\r\n');
        await session.bytes(7);
        await compose('stop', 'anyport-1');
        session.send('PING\r\n');
        expect((await session.bytes(14)).toString()).toBe('+PONG\r\n+PONG\r\n');
        session.reset();
        const id = (await compose('ps', '--quiet', 'anyport-1')).trim();
        expect((await docker.run('wait', id)).trim()).toBe('0');
      });
    });
  });
});

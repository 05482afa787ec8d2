/** dockerd, podman and their containers: TURN on one port by labels, and what happens to containers while others are served. */

import { isDeepStrictEqual } from 'node:util';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { EngineClient } from '../../../src/providers/docker/client.js';
import { containerOf } from '../../../src/providers/docker/container.js';
import { whole } from '../../soak/soak.js';
import { type Daemon, startDaemon } from '../../support/daemon.js';
import { Docker, dockerd, NETWORK } from '../../support/docker.js';
import { podman } from '../../support/podman.js';
import { freePort } from '../../support/ports.js';
import { runProgram } from '../../support/process.js';
import { dial, echoes } from '../../support/tcp.js';
import { describeAsRoot, describeWith } from '../../support/tools.js';
import { eventually } from '../../support/wait.js';
import { talk } from '../udp/real/services/turn.js';

/** Of containers that start at once. */
const BURST = whole ? 50 : 4;

/** From the end of a command to the engine until it is in force. */
const FOLLOWED_MS_MAX = 1000;

const ECHO = ['/bin/busybox', 'nc', '-ll', '-p', '7', '-e', '/bin/busybox', 'cat'];

describeAsRoot.each([dockerd, podman])('containers of $name', (program) => {
  describeWith(...program.tools)('', () => {
    let docker: Docker;
    let daemon: Daemon;
    const running: Daemon[] = [];

    beforeAll(async () => {
      docker = await Docker.start(program);
    });
    afterEach(async () => {
      for (const each of running.splice(0)) await each.stop();
    });
    afterAll(() => docker.remove());

    const start = async (rest: object = {}) => {
      daemon = await startDaemon({ docker: { socket: docker.socketPath }, ...rest });
      running.push(daemon);
    };

    test('whatever happens to a container is heard, and listed', async () => {
      await docker.create('one', {}, ...ECHO);
      const client = new EngineClient({ socketPath: docker.socketPath });
      const end = new AbortController();
      let heard = 0;
      await client.events(() => {
        heard += 1;
      }, end.signal);
      const listed = async () =>
        (await client.containers()).map(containerOf).map((each) => ({
          name: each?.name,
          isWell: each?.isWell,
          networks: each?.networks.map(({ name }) => name),
        }));
      const one = { name: 'one', isWell: true, networks: [NETWORK] };
      const other = { ...one, name: 'other' };
      const happenings = [
        [['start', 'one'], [one]],
        [['pause', 'one'], [{ ...one, isWell: false }]],
        [['unpause', 'one'], [one]],
        [['rename', 'one', 'other'], [other]],
        [['network', 'disconnect', NETWORK, 'other'], [{ ...other, networks: [] }]],
        [['network', 'connect', NETWORK, 'other'], [other]],
        [['kill', 'other'], []],
        [['rm', 'other'], []],
      ] as const;
      for (const [happening, after] of happenings) {
        const before = heard;
        await docker.run(...happening);
        const words = happening.join(' ');
        await eventually(`a word of ${words}`, () => heard > before);
        await eventually(`${words} in the list`, async () => isDeepStrictEqual(await listed(), after));
      }
      end.abort();
    });

    test('containers come, change and go, one by one and many at once; the rest is not cut', async () => {
      const ports = new Map<string, number>();
      const create = async (name: string, labels: object = {}) => {
        ports.set(name, await freePort());
        const port = { [`proxy.${name}.port`]: `${ports.get(name)}:7` };
        await docker.create(name, { labels: { 'proxy.aliases': name, ...port, ...labels } }, ...ECHO);
      };
      const portOf = (name: string) => ports.get(name) as number;
      const served = (name: string) => eventually(`${name} is served`, () => echoes(portOf(name)));
      const gone = (name: string) => eventually(`${name} is gone`, async () => !(await echoes(portOf(name))));
      const reloads = () => daemon.lines.filter(({ msg }) => msg === 'reloaded').length;
      const tookMs: number[] = [];
      const followed = async (...command: string[]) => {
        const before = reloads();
        await docker.run(...command);
        const endedMs = performance.now();
        await eventually(`${command} to be in force`, () => reloads() > before);
        tookMs.push(performance.now() - endedMs);
      };

      await start();
      await create('stays');
      await docker.start('stays');
      await served('stays');
      const session = (await dial(portOf('stays'))).send('first');
      await session.bytes(5);

      const many = Array.from({ length: BURST }, (_, index) => `many-${index}`);
      for (const name of many) await create(name);
      await docker.start(...many);
      const startedMs = performance.now();
      await Promise.all(many.map(served));
      const followedMs = performance.now() - startedMs;
      console.log(`${BURST} containers at once: all are served ${followedMs.toFixed(0)} ms after the last`);

      await docker.run('rename', 'many-0', 'renamed');
      await followed('stop', '--time', '0', 'many-1');
      await gone('many-1');
      await followed('start', 'many-1');
      await served('many-1');
      // Labels are a container's for its life.
      await followed('rm', '--force', 'many-2');
      await create('many-2');
      await followed('start', 'many-2');
      await served('many-2');
      expect(await echoes(portOf('many-0'))).toBe(true);

      console.log(`stop, start, rm, start: in force after ${tookMs.map(Math.round)} ms`);
      if (whole) expect(Math.max(followedMs, ...tookMs)).toBeLessThan(FOLLOWED_MS_MAX);

      await docker.down();
      await eventually('a word about it', () => said('the container engine can not be reached'));
      expect(await echoes(portOf('many-3'))).toBe(true);
      await docker.up();
      await create('after');
      await docker.start('after');
      await served('after');

      await docker.run('rm', '--force', 'renamed', ...many.slice(1));
      await gone('many-3');
      session.send('again');
      await session.bytes(10);
      session.socket.destroy();
      expect(daemon.lines.filter(({ msg }) => msg.startsWith('left out'))).toEqual([]);
    });

    const said = (text: string) => daemon.lines.some(({ msg }) => msg.startsWith(text));

    // The rest is about labels, which are the same whoever runs the containers.
    if (program !== dockerd) return;

    describeWith('turnserver', 'turnutils_uclient')('GoDoxy', () => {
      test('a TURN server, over TCP and UDP on one port', async () => {
        await docker.create(
          'turn',
          {
            number: 20,
            labels: {
              'proxy.aliases': 'turn-tcp,turn-udp',
              'proxy.turn-tcp.scheme': 'tcp',
              'proxy.turn-tcp.port': '7878:3478',
              'proxy.turn-udp.scheme': 'udp',
              'proxy.turn-udp.port': '7878:3478',
            },
          },
          ...['turnserver', '-n', '--no-cli', '--no-tls', '--no-dtls', '--allow-loopback-peers'],
          ...['--lt-cred-mech', '--user', 'somebody:secret', '--realm', 'example.org'],
          ...['--relay-threads', '1', '--log-file', 'stdout', '--pidfile', '/pid', '--userdb', '/turndb'],
        );
        await docker.start('turn');
        await start();
        const at = { host: '127.0.0.1', port: 7878 };
        await eventually('the port', () =>
          talk(at, '-t').then(
            () => true,
            () => false,
          ),
        );
        await talk(at);
        await docker.run('rm', '--force', 'turn');
        await eventually('the end of the port', async () => !(await echoes(at.port)));
      });
    });

    test('replicas share a name; one that is paused gets nothing new', async () => {
      const page = (name: string) => [
        ...['/bin/busybox', 'sh', '-c'],
        `/bin/busybox mkdir /www && echo ${name} > /www/index.html && exec /bin/busybox httpd -f -p 80 -h /www`,
      ];
      const labels = { 'anyport.web.host': 'web.test', 'anyport.web.port': '80' };
      await docker.create('web-1', { labels }, ...page('web-1'));
      await docker.create('web-2', { labels }, ...page('web-2'));
      await docker.start('web-1', 'web-2');
      await start({ protocols: [{ name: 'HTTP' }] });
      const ask = async () => {
        const url = `http://127.0.0.1:${daemon.port}/`;
        return (await runProgram('curl', ['-s', '-m', '5', '-H', 'Host: web.test', url])).stdout.trim();
      };
      const answers = async () => new Set([await ask(), await ask(), await ask(), await ask()]);
      await eventually('both', async () => (await answers()).size === 2);
      await docker.run('pause', 'web-2');
      await eventually('one', async () => [...(await answers())].join() === 'web-1');
      await docker.run('unpause', 'web-2');
      await eventually('both again', async () => (await answers()).size === 2);
    });
  });
});

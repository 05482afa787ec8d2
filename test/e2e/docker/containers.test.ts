/** The daemon follows the containers of an engine: ports open and close, sessions live on, and what is wrong is named. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Authority, authorityTools } from '../../support/authority.js';
import { anyport, type Daemon, startDaemon } from '../../support/daemon.js';
import { Engine } from '../../support/engine.js';
import { freePort } from '../../support/ports.js';
import { dial, echo, echoes, listenTcp, type Upstream } from '../../support/tcp.js';
import { type TempFolder, tempFolder } from '../../support/temp.js';
import { describeWith } from '../../support/tools.js';
import { startGenerations } from '../../support/upgrade.js';
import { eventually } from '../../support/wait.js';

let daemon: Daemon;
let engine: Engine;
let folder: TempFolder;
let service: Upstream;
let end: () => Promise<unknown>;

beforeEach(async () => {
  folder = tempFolder();
  engine = new Engine(join(folder.path, 'docker.sock'));
  await engine.start();
  service = await listenTcp(echo);
});

afterEach(async () => {
  await end();
  await engine.stop();
  await service.close();
  folder.remove();
});

const configuration = () => ({
  protocols: [{ name: 'Redis', target: service.target }],
  docker: { socket: engine.socketPath, allow_loopback: true },
});

const start = async (docker: object = {}) => {
  const file = configuration();
  daemon = await startDaemon({ ...file, docker: { ...file.docker, ...docker } });
  end = () => daemon.stop();
  await eventually('the engine is followed', () => engine.isFollowed);
};

const targetPort = () => Number(service.target.split(':').at(-1));

/** A container on the network of the host, whose port is passed on. */
const forwarding = (name: string, listen: number, rest: object = {}) => ({
  Id: name.padEnd(64, '0'),
  Names: [`/${name}`],
  Labels: {
    'proxy.aliases': name,
    [`proxy.${name}.scheme`]: 'tcp',
    [`proxy.${name}.port`]: `${listen}:${targetPort()}`,
  },
  Created: 1,
  State: 'running',
  Status: 'Up 1 second',
  HostConfig: { NetworkMode: 'host' },
  NetworkSettings: { Networks: { host: { IPAddress: '' } } },
  ...rest,
});

const say = (...containers: unknown[]) => {
  engine.containers = containers;
  engine.tell();
};

const leftOut = () => daemon.lines.filter(({ msg }) => msg.startsWith('left out: ')).map(({ msg }) => msg);

test('a container that starts is served, one that comes cuts no session, one that ends is gone', async () => {
  await start();
  const [a, b] = [await freePort(), await freePort()];
  say(forwarding('a', a));
  await eventually('a is served', () => echoes(a));
  const client = (await dial(a)).send('first');
  await client.bytes(5);
  say(forwarding('a', a), forwarding('b', b));
  await eventually('b is served', () => echoes(b));
  client.send('again');
  await client.bytes(10);
  expect(daemon.lines.filter(({ msg }) => msg === 'reloaded').map(({ cause }) => cause)).toEqual([
    'docker',
    'docker',
  ]);
  say(forwarding('b', b));
  await eventually('a is gone', async () => !(await echoes(a)));
  expect(await echoes(b)).toBe(true);
  client.socket.destroy();
});

test('an engine that is away changes nothing; what has changed meanwhile is served when it is back', async () => {
  await start();
  const [a, b] = [await freePort(), await freePort()];
  say(forwarding('a', a));
  await eventually('a is served', () => echoes(a));
  await engine.stop();
  await eventually('a word about it', () =>
    daemon.lines.some(({ msg }) => msg.startsWith('the container engine can not')),
  );
  expect(await echoes(a)).toBe(true);
  engine.containers = [forwarding('b', b)];
  await engine.start();
  await eventually('b is served', () => echoes(b));
  expect(await echoes(a)).toBe(false);
});

test('what the file has, what another program has and what is wrong is named; the rest is served', async () => {
  const occupied = await listenTcp(echo);
  await start();
  const good = await freePort();
  const taken = Number(occupied.target.split(':').at(-1));
  say(
    forwarding('stranger', daemon.port),
    forwarding('occupied', taken),
    forwarding('wrong', 1, { Labels: { 'proxy.wrong.port': 'none' } }),
    forwarding('good', good),
  );
  await eventually('good is served', () => echoes(good));
  await eventually('three words', () => leftOut().length === 3);
  const said = leftOut().join('\n');
  expect(said).toMatch(/docker: container stranger, label proxy\.stranger\.port: .*takes the clients of/);
  expect(said).toMatch(/docker: container occupied, alias occupied: .*in use/i);
  expect(said).toMatch(/docker: container wrong, label proxy\.wrong\.port: expected `LISTEN:TARGET`/);
  await occupied.close();
});

test('a reload of the file keeps the containers', async () => {
  await start();
  const a = await freePort();
  say(forwarding('a', a));
  await eventually('a is served', () => echoes(a));
  daemon.configure({
    protocols: [
      { name: 'Redis', target: service.target },
      { name: 'HTTP', target: service.target },
    ],
    docker: { socket: engine.socketPath, allow_loopback: true },
  });
  daemon.child.kill('SIGHUP');
  await eventually('the reload', () =>
    daemon.lines.some(({ msg, cause }) => msg === 'reloaded' && cause !== 'docker'),
  );
  expect(await echoes(a)).toBe(true);
});

test('a start serves what containers say from its first moment, and goes without what can not be opened', async () => {
  const occupied = await listenTcp(echo);
  const taken = Number(occupied.target.split(':').at(-1));
  const [a, b] = [await freePort(), await freePort()];
  engine.containers = [forwarding('a', a), forwarding('occupied', taken), forwarding('b', b)];
  await start();
  expect(await Promise.all([a, b].map(echoes))).toEqual([true, true]);
  await eventually('a word about the other', () => leftOut().length === 1);
  expect(leftOut()[0]).toMatch(/docker: container occupied, alias occupied: .*in use/i);
  expect(daemon.lines.filter(({ msg }) => msg.includes('reload'))).toEqual([]);
  await occupied.close();
});

test('a port that can not be opened is told once, however often it is tried, and opened when it is free', async () => {
  const occupied = await listenTcp(echo);
  const taken = Number(occupied.target.split(':').at(-1));
  await start();
  say(forwarding('occupied', taken));
  await eventually('a word', () => leftOut().length === 1);
  for (let round = 0; round < 3; round += 1) {
    const before = engine.lists;
    engine.tell();
    await eventually('another list', () => engine.lists > before);
  }
  expect(daemon.lines.filter(({ msg }) => /left out|refused|unchanged/.test(msg))).toHaveLength(1);
  await occupied.close();
  engine.tell();
  await eventually('it is served', () => echoes(taken));
});

test('an upgrade in place keeps the ports of containers open all the time', async () => {
  const a = await freePort();
  engine.containers = [forwarding('a', a)];
  // The session of the old process is asked again when the new one has answered for a while.
  const server = { graceful_shutdown_timeout: '10m' };
  const generations = await startGenerations({ server, ...configuration() });
  end = () => generations.stop();
  const client = (await dial(a)).send('first');
  await client.bytes(5);
  let isOver = false as boolean;
  const heard: boolean[] = [];
  const asking = (async () => {
    while (!isOver) heard.push(await echoes(a));
  })();
  await generations.upgrade();
  const before = heard.length;
  await eventually('answers afterwards', () => heard.length > before + 20);
  isOver = true;
  await asking;
  expect(heard.filter((isAnswered) => !isAnswered)).toEqual([]);
  client.send('again');
  await client.bytes(10);
  client.socket.destroy();
});

test('what containers said last is kept: an upgrade and a start while the engine is away go on with it', async () => {
  const [a, b] = [await freePort(), await freePort()];
  engine.containers = [forwarding('a', a)];
  const state = join(folder.path, 'docker.json');
  const file = configuration();
  const config = { ...file, docker: { ...file.docker, state_file: state } };
  const generations = await startGenerations({
    ...config,
    server: { graceful_shutdown_timeout: '10m' },
  });
  end = () => generations.stop();
  const kept = () => (existsSync(state) ? readFileSync(state, 'utf8') : '');
  await eventually('it is kept', () => kept().includes('container a'));
  const client = (await dial(a)).send('first');
  await client.bytes(5);
  await engine.stop();
  await generations.upgrade();
  for (let round = 0; round < 20; round += 1) expect(await echoes(a)).toBe(true);
  client.send('again');
  await client.bytes(10);
  client.socket.destroy();
  await generations.stop();
  end = async () => {};
  expect(await echoes(a)).toBe(false);

  daemon = await startDaemon(config);
  end = () => daemon.stop();
  expect(await echoes(a)).toBe(true);
  engine.containers = [forwarding('b', b)];
  await engine.start();
  await eventually('b is served', () => echoes(b));
  expect(await echoes(a)).toBe(false);
  // At its end at the latest.
  await daemon.stop();
  expect(kept()).toContain('container b');
  expect(kept()).not.toContain('container a');

  await engine.stop();
  writeFileSync(state, kept().replace(/"boot":"[^"]*"/, '"boot":"another"'));
  daemon = await startDaemon(config);
  expect(await echoes(b)).toBe(false);
  const words = daemon.lines.filter(({ msg }) => msg.startsWith('docker.state_file: '));
  expect(words.map(({ msg }) => msg)).toEqual([
    expect.stringMatching(/docker\.json is not used: this machine has been started anew since/),
  ]);
});

describeWith(...authorityTools)('an engine at another place', () => {
  test('is followed over TLS, also with a certificate that is renewed; a key that is not its key is refused', async () => {
    const authority = await Authority.create();
    const ca = readFileSync(authority.file, 'utf8');
    const file = (name: string) => join(folder.path, name);
    const renew = async (name: string) => {
      const { cert, key } = await authority.identity('DNS:node.test', 30, `/CN=${name}`);
      writeFileSync(file('key.pem'), key, { mode: 0o600 });
      writeFileSync(file('cert.pem'), cert);
    };
    await renew('first');
    const port = await freePort();
    const secured = { port, ca, identity: await authority.identity('DNS:localhost') };
    const far = new Engine('', secured);
    await far.start();
    const [a, b] = [await freePort(), await freePort()];
    far.containers = [forwarding('a', a)];
    daemon = await startDaemon({
      ...configuration(),
      server: { reload_on_change: false },
      docker: {
        ...{ socket: `tcp://localhost:${port}`, allow_loopback: true },
        tls: { ca: authority.file, cert: file('cert.pem'), key: file('key.pem') },
      },
    });
    end = async () => {
      await daemon.stop();
      await far.stop();
      authority.remove();
    };
    expect(await echoes(a)).toBe(true);
    const ask = async () => {
      const from = daemon.lines.length;
      daemon.signal('SIGHUP');
      return daemon.outcome(from);
    };
    await renew('second');
    expect(await ask()).toMatchObject({ msg: 'reloaded', settings: expect.anything() });
    await eventually('the second certificate', () => far.isFollowed && far.shown.at(-1) === 'second');
    far.containers = [forwarding('a', a), forwarding('b', b)];
    far.tell();
    await eventually('b is served', () => echoes(b));
    writeFileSync(file('key.pem'), (await authority.identity('DNS:node.test')).key);
    expect(await ask()).toMatchObject({ msg: expect.stringContaining('refused') });
    expect(daemon.lines.some(({ msg }) => msg.includes('docker.tls.key: is not the key of `cert`'))).toBe(
      true,
    );
    expect(await echoes(a)).toBe(true);
  });
});

test('`anyport docker` shows what is taken, and beside it what is left out', async () => {
  engine.containers = [forwarding('good', 7001), forwarding('stranger', 7000)];
  end = async () => {};
  const file = join(folder.path, 'anyport.yaml');
  const forwards = [{ name: 'mine', listen: 7000, target: service.target }];
  writeFileSync(file, JSON.stringify({ forwards, docker: configuration().docker }));
  const { stdout } = await anyport(['docker', '-c', file]);
  expect(stdout).toMatch(/^good +port 7001\/tcp/m);
  expect(stdout).not.toMatch(/^stranger/m);
  expect(stdout).toMatch(/^left out: docker: container stranger/m);
});

test('the control interface and `anyport upstream` say which container an upstream and its endpoints are of', async () => {
  const admin = `unix:${join(folder.path, 'admin.sock')}`;
  const [a, mine] = [await freePort(), await freePort()];
  engine.containers = [forwarding('a', a), forwarding('mine', a + 1)];
  daemon = await startDaemon({
    ...configuration(),
    admin: { listen: admin },
    forwards: [{ name: 'mine', listen: mine, target: service.target }],
  });
  end = () => daemon.stop();
  await eventually('a word about the stranger', () => leftOut().length > 0);
  const json = JSON.parse((await anyport(['upstream', '--admin', admin, '--json'])).stdout);
  const of = (name: string) => json.upstreams.find((each: { name: string }) => each.name === name);
  const from = 'docker: container a, label proxy.a.port';
  expect(of('a')).toMatchObject({ from, endpoints: [{ from }] });
  const inFile = expect.stringMatching(/anyport\.yaml:\d+$/);
  expect(of('mine')).toMatchObject({ from: inFile, endpoints: [{ from: inFile }] });
  const { stdout } = await anyport(['upstream', '--admin', admin]);
  expect(stdout).toMatch(/^a .*docker: container a, label proxy\.a\.port$/m);
  expect(stdout).toMatch(/^mine .*anyport\.yaml:\d+$/m);
  const status = (await anyport(['status', '--admin', admin])).stdout;
  expect(status).toMatch(/^ +\/.*anyport\.yaml: 1 protocol, 1 forward$/m);
  expect(status).toMatch(/^ +docker: container a: 1 forward$/m);
});

test('`anyport explain` and `anyport check --origins` know what containers say, and where', async () => {
  const labels = { 'anyport.shop.host': 'shop.example', 'anyport.shop.port': '80' };
  engine.containers = [forwarding('shop', 0, { Labels: labels })];
  end = async () => {};
  const file = join(folder.path, 'anyport.yaml');
  const bytes = join(folder.path, 'bytes');
  const listeners = [{ name: 'front', address: ':7001' }];
  const { docker } = configuration();
  writeFileSync(file, JSON.stringify({ listeners, docker, protocols: [{ name: 'HTTP' }] }));
  writeFileSync(bytes, 'GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n');
  const explain = () => anyport(['explain', bytes, '-c', file]);
  const { stdout } = await explain();
  expect(stdout).toMatch(/goes to +shop \(127\.0\.0\.1:80\)/);
  expect(stdout).toMatch(/docker: container shop, alias shop/);
  const check = () => anyport(['check', file, '--origins']);
  const checked = await check();
  expect(checked.stdout).toMatch(/^upstream +shop +docker: container shop, alias shop$/m);
  expect(checked.stdout).toMatch(
    /^endpoint +shop 127\.0\.0\.1:80 +docker: container shop, label anyport\.shop\.port$/m,
  );
  expect(checked.stdout).toMatch(/^route +routes\[0\] +docker: container shop/m);
  expect(checked.stdout).toMatch(/^protocol +HTTP +\/.*anyport\.yaml:1$/m);
  await engine.stop();
  const alone = await explain();
  expect(alone.stderr).toMatch(/^anyport: without containers: /);
  expect(alone.stdout).not.toMatch(/shop \(/);
  const checkedAlone = await check();
  expect(checkedAlone).toMatchObject({
    status: 0,
    stderr: expect.stringMatching(/^anyport: without containers: /),
  });
  expect(checkedAlone.stdout).not.toMatch(/shop/);
  const { left_out } = JSON.parse((await anyport(['check', file, '--origins', '--json'])).stdout);
  expect(left_out).toMatchObject([{ file: null, message: expect.stringMatching(/^without containers: /) }]);
});

test('hostile labels are refused by name, and the rest is served', async () => {
  await start({ allow_loopback: false });
  const good = await freePort();
  const elsewhere = { HostConfig: {}, NetworkSettings: { Networks: { apart: { IPAddress: '192.0.2.7' } } } };
  const hostile = (name: string, labels: unknown) => forwarding(name, 1, { ...elsewhere, Labels: labels });
  say(
    forwarding('loopback', 1),
    hostile('metadata', { 'proxy.metadata.port': '1:1', 'proxy.metadata.host': '169.254.169.254' }),
    hostile('huge', { 'proxy.huge.port': '7'.repeat(1 << 20) }),
    hostile('binary', { 'proxy.binary.port': '7878:34\u0000\u001b[2J78' }),
    hostile('program', {
      'anyport.program.host': 'a.test',
      'anyport.program.port': '1',
      'anyport.program.health_check.type': 'exec',
    }),
    hostile('types', { 'proxy.types.port': 7 }),
    hostile('none', 'nonsense'),
    null,
    { Id: 7 },
    forwarding('good', good, elsewhere),
  );
  await eventually('good listens', () =>
    dial(good).then(
      ({ socket }) => Boolean(socket.destroy()),
      () => false,
    ),
  );
  const refused = ['loopback', 'metadata', 'huge', 'binary', 'program'];
  await eventually('a word about each', () =>
    refused.every((name) => leftOut().join('\n').includes(`container ${name}`)),
  );
  // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may be there.
  expect(leftOut().join('\n')).not.toMatch(/[\u0000\u001b]|container good|7{1000}/);
});

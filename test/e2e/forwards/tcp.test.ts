/** Forwards of streams, as their users set them up: nothing is identified, and what upstreams can do they can. */
import { connect, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startControlled } from '../../support/control.js';
import { anyport, type Daemon, startDaemon, startWithFlags } from '../../support/daemon.js';
import { freePort, freePorts } from '../../support/ports.js';
import { dial, echo, listenTcp, Peer, type Upstream } from '../../support/tcp.js';
import { type TempFolder, tempFolder } from '../../support/temp.js';
import { eventually } from '../../support/wait.js';

const host = '127.0.0.1';

/** Its name is the first that a client hears. */
const named = (name: string, port?: number) => listenTcp((peer) => peer.send(name), host, port);

/** What the server behind a port says before the client has said a byte. */
async function greeting(port: number): Promise<string> {
  const client = await dial(port);
  await client.bytes(1);
  client.reset();
  return client.received.toString();
}

describe.each(['reuseport', 'handoff'])('%s', (accept) => {
  let upstreams: Upstream[];
  let daemon: Daemon;
  let ports: { single: number; kept: number; shifted: number; shared: number };
  let targets: { kept: number; shifted: number };

  beforeAll(async () => {
    ports = {
      single: await freePort(),
      kept: await freePorts(3),
      shifted: await freePorts(2),
      shared: await freePorts(2),
    };
    targets = { kept: ports.kept, shifted: await freePorts(2) };
    upstreams = await Promise.all([
      named('single'),
      ...[0, 1, 2].map((at) => listenTcp((peer) => peer.send(`kept ${at}`), '127.0.0.2', targets.kept + at)),
      ...[0, 1].map((at) => named(`shifted ${at}`, targets.shifted + at)),
    ]);
    const single = upstreams[0]?.target ?? '';
    daemon = await startDaemon({
      server: { accept, workers: 2 },
      upstreams: { one: { endpoints: [single] } },
      routes: [{ to: 'reset' }],
      protocols: [{ name: 'SSH', target: 'reset' }],
      listeners: [{ name: 'front', address: `${host}:${await freePort()}` }],
      forwards: [
        { name: 'single', listen: `${host}:${ports.single}`, target: single },
        { name: 'kept', listen: `${host}:${ports.kept}-${ports.kept + 2}`, target: '127.0.0.2' },
        {
          listen: `${host}:${ports.shifted}-${ports.shifted + 1}`,
          target: `${host}:${targets.shifted}-${targets.shifted + 1}`,
        },
        { name: 'shared', listen: `${host}:${ports.shared}-${ports.shared + 1}`, target: 'one' },
      ],
    });
  });

  afterAll(async () => {
    await daemon.stop();
    for (const upstream of upstreams) await upstream.close();
  });

  test('a server that speaks first is heard by a client that is silent', async () => {
    const client = await dial(ports.single);
    expect((await client.bytes(6)).toString()).toBe('single');
    const server = await (upstreams[0] as Upstream).peer(0);
    client.send('SSH-2.0-x\r\n').finish();
    await server.end();
    expect(server.received.toString()).toBe('SSH-2.0-x\r\n');
    server.finish();
    await client.end();
    expect(await daemon.sessionOf(client)).toMatchObject({
      listener: 'single',
      upstream: 'single',
      protocol: null,
      reason: 'done',
      bytes_up: 11,
      bytes_down: 6,
    });
  });

  test('a range keeps its ports', async () => {
    for (const at of [0, 1, 2]) expect(await greeting(ports.kept + at)).toBe(`kept ${at}`);
    const samples = await daemon.metrics();
    const listeners = samples
      .filter(({ name }) => name === 'anyport_accepted_total')
      .map(({ labels }) => labels.listener);
    expect(listeners).toEqual(expect.arrayContaining([0, 1, 2].map((at) => `kept:${ports.kept + at}`)));
  });

  test('or has others, in the same order', async () => {
    for (const at of [0, 1]) expect(await greeting(ports.shifted + at)).toBe(`shifted ${at}`);
    const name = `${host}:${ports.shifted}`;
    expect(
      await daemon.metric('anyport_endpoint_up', { upstream: name, endpoint: `${host}:${targets.shifted}` }),
    ).toBe(1);
  });

  test('all of a range may go to one upstream', async () => {
    for (const at of [0, 1]) expect(await greeting(ports.shared + at)).toBe('single');
  });
});

test('several targets are balanced, and one that dies is passed over', async () => {
  const servers = await Promise.all(['a', 'b'].map((name) => named(name)));
  const [a, b] = servers as [Upstream, Upstream];
  const port = await freePort();
  const daemon = await startDaemon({
    forwards: [
      {
        name: 'pair',
        listen: `${host}:${port}`,
        target: {
          endpoints: [a.target, b.target],
          balance: 'round_robin',
          health_check: { type: 'tcp', interval: '100ms', timeout: '5s', fall: 1 },
        },
      },
    ],
  });
  const heard = [];
  for (let n = 0; n < 6; n += 1) heard.push(await greeting(port));
  expect(heard.toSorted()).toEqual(['a', 'a', 'a', 'b', 'b', 'b']);
  await a.close();
  // The one that meets the dead endpoint first is sent on to the other.
  expect([await greeting(port), await greeting(port)]).toEqual(['b', 'b']);
  await daemon.metricBecomes('anyport_endpoint_up', 0, { upstream: 'pair', endpoint: a.target });
  const again = await named('a', a.port);
  await daemon.metricBecomes('anyport_endpoint_up', 1, { upstream: 'pair', endpoint: a.target });
  await eventually('the one that came back', async () => (await greeting(port)) === 'a');
  await daemon.stop();
  await again.close();
  await b.close();
});

test('a list with commas, a PROXY header, a limit and who may connect', async () => {
  const server = await listenTcp();
  const port = await freePort();
  const daemon = await startDaemon({
    forwards: [
      {
        name: 'told',
        listen: `${host}:${port}`,
        target: { endpoints: [server.target], proxy_protocol: 'v1' },
        ip_blacklist: ['127.0.0.2'],
        max_connections: 1,
      },
    ],
  });
  const client = await dial(port);
  const from = client.address.split(':')[1];
  const header = `PROXY TCP4 127.0.0.1 127.0.0.1 ${from} ${port}\r\n`;
  expect((await (await server.peer(0)).bytes(header.length)).toString()).toBe(header);
  const second = await dial(port).then(
    (peer) => peer.end(),
    () => 'reset',
  );
  expect(second).toBe('reset');
  client.reset();
  await daemon.metricBecomes('anyport_sessions_active', 0, { listener: 'told' });
  expect(
    await dial(port, '127.0.0.2').then(
      (peer) => peer.end(),
      () => 'reset',
    ),
  ).toBe('reset');
  await daemon.metricBecomes('anyport_refused_total', 1, { listener: 'told', reason: 'denied' });
  await daemon.metricBecomes('anyport_refused_total', 1, { listener: 'told', reason: 'over_limit' });
  await daemon.stop();
  await server.close();
});

describe('unix sockets', () => {
  let folder: TempFolder;
  beforeAll(() => {
    folder = tempFolder();
  });
  afterAll(() => folder.remove());

  test('from one to a port, and from a port to one', async () => {
    const server = await named('tcp');
    const [listen, behind] = [`${folder.path}/front.sock`, `${folder.path}/behind.sock`];
    const unix = createServer((socket) => socket.end('unix')).listen(behind);
    const port = await freePort();
    const daemon = await startDaemon({
      forwards: [
        { name: 'in', listen: `unix:${listen}`, target: server.target, mode: '0600' },
        { name: 'out', listen: `${host}:${port}`, target: `unix:${behind}` },
      ],
    });
    const client = new Peer(connect(listen));
    expect((await client.bytes(3)).toString()).toBe('tcp');
    client.socket.destroy();
    expect(await greeting(port)).toBe('unix');
    await daemon.stop();
    unix.close();
    await server.close();
  });
});

describe('--forward', () => {
  test('is all that is needed; the same one again adds an endpoint', async () => {
    const servers = await Promise.all(['a', 'b'].map((name) => named(name)));
    const port = await freePort();
    const listen = `${host}:${port}`;
    const flags = servers.flatMap(({ target }) => ['--forward', `${listen}/tcp=${target}`]);
    const daemon = await startWithFlags([...flags, '--workers', '1'], port);
    const heard = [await greeting(port), await greeting(port)];
    expect(heard.toSorted()).toEqual(['a', 'b']);
    const ready = daemon.lines.find(({ msg }) => msg === 'ready');
    expect(JSON.stringify(ready)).not.toContain('9090');
    await daemon.stop();
    for (const server of servers) await server.close();
  });

  test('takes the place of the one in the file', async () => {
    const server = await named('flag');
    const port = await freePort();
    const listen = `${host}:${port}`;
    const daemon = await startDaemon(
      { forwards: [{ name: 'mine', listen, target: '127.0.0.9:1' }] },
      { flags: ['--forward', `${listen}=${server.target}`] },
    );
    expect(await greeting(port)).toBe('flag');
    expect((await daemon.ended(1))[0]).toMatchObject({ listener: 'mine' });
    await daemon.stop();
    await server.close();
  });
});

test('a reload moves a forward; what it carries goes on', async () => {
  const [before, after] = await Promise.all([listenTcp(echo), named('after')]);
  const port = await freePort();
  const forward = (target: string, listen = `${host}:${port}`) => ({
    forwards: [{ name: 'it', listen, target }],
  });
  const daemon = await startDaemon(forward(before.target));
  const client = (await dial(port)).send('1');
  await client.bytes(1);
  expect((await daemon.reload(forward(after.target))).msg).toBe('reloaded');
  expect(await greeting(port)).toBe('after');
  client.send('2');
  expect((await client.bytes(2)).toString()).toBe('12');
  const refused = await daemon.reload(forward(`${host}:${port}`));
  expect(refused.msg).toMatch(/^reload refused/);
  expect(await greeting(port)).toBe('after');
  await daemon.stop();
  await Promise.all([before.close(), after.close()]);
});

test('status, explain and the difference know it', async () => {
  const port = await freePort();
  const {
    daemon,
    site,
    port: admin,
  } = await startControlled({
    forwards: [{ name: 'turn', listen: `${host}:${port}`, target: '10.0.0.7:3478' }],
  });
  const { body } = await site.get('/api/v1/status');
  expect(body.listeners).toEqual([{ name: 'turn', address: `${host}:${port}`, transport: 'tcp' }]);
  const explained = await anyport(['explain', '-c', daemon.file, '--json', '/dev/null']);
  expect(JSON.parse(explained.stdout)).toMatchObject({
    listener: 'turn',
    verdict: 'unread',
    outcome: { by: 'forward', target: 'turn', why: 'forwards[0] passes every session on, at accept' },
    routes: [{ name: 'forwards[0]', verdict: 'taken', place: expect.stringContaining('anyport.yaml:') }],
  });
  daemon.configure({ forwards: [{ name: 'turn', listen: `${host}:${port}`, target: '10.0.0.8:3478' }] });
  const compared = await anyport(['check', '-c', daemon.file, '--diff', '--admin', `${host}:${admin}`]);
  expect(compared.stdout).toMatch(/endpoint +turn 10\.0\.0\.8:3478/);
  await daemon.stop();
});

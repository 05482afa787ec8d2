/** Routes that ask only for listener, source and time are decided before the client has said a byte. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { sshBanner } from '../support/flights.js';
import { freePort } from '../support/ports.js';
import { runProgram } from '../support/process.js';
import { dial, echo, listenTcp, type Upstream } from '../support/tcp.js';
import { tempFolder } from '../support/temp.js';

/** How the connection ends that says nothing; a reset may be there before the client knows that it is connected. */
const endOf = async (port: number, from: string) =>
  dial(port, from).then(
    (client) => client.end(),
    (error: NodeJS.ErrnoException) => (error.code === 'ECONNRESET' ? 'reset' : error.message),
  );

describe.each(['reuseport', 'handoff'])('%s', (accept) => {
  let greeting: Upstream;
  let echoing: Upstream;
  let daemon: Daemon;
  let ports: Record<'front' | 'mail' | 'late' | 'proxied' | 'handled', number>;

  beforeAll(async () => {
    greeting = await listenTcp((peer) => peer.send('220 mail\r\n'));
    echoing = await listenTcp(echo);
    const names = ['front', 'mail', 'late', 'proxied', 'handled'] as const;
    const each = await Promise.all(names.map(async (name) => [name, await freePort()] as const));
    ports = Object.fromEntries(each) as typeof ports;
    daemon = await startDaemon({
      server: { accept, workers: 2, identify_timeout: '30s' },
      listeners: names.map((name) => ({
        name,
        address: `127.0.0.1:${ports[name]}`,
        ...(name === 'front' && { on_silence: { after: '25s', to: 'mail' } }),
        ...(name === 'proxied' && { proxy_protocol: { accept: true, trusted: ['127.0.0.1'] } }),
      })),
      routes: [
        { when: { listener: 'late', protocol: 'tls' }, to: 'reset' },
        { when: { source: ['127.0.0.2', '192.0.2.0/24'] }, to: 'reset' },
        { when: { source: '127.0.0.3', time: { days: 'mon-sun' }, not: { listener: 'front' } }, to: 'close' },
        { when: { listener: ['mail', 'proxied'] }, to: 'mail' },
        { when: { listener: 'handled' }, to: 'handler' },
      ],
      protocols: [{ name: 'SSH', target: 'echo' }],
      upstreams: {
        mail: { endpoints: [greeting.target] },
        echo: { endpoints: [echoing.target] },
        handler: { handler: 'builtin:echo' },
      },
    });
  });

  afterAll(async () => {
    await daemon.stop();
    await Promise.all([greeting.close(), echoing.close()]);
  });

  /** The line of the one session that `client` makes. */
  async function lineOf(client: () => Promise<unknown>) {
    const before = daemon.sessions.length;
    await client();
    return (await daemon.ended(before + 1)).at(-1);
  }

  test('a source that is refused is reset without a byte, before on_silence is over', async () => {
    const line = await lineOf(async () => {
      expect(await endOf(ports.front, '127.0.0.2')).toBe('reset');
    });
    expect(line).toMatchObject({
      reason: 'rejected',
      route: 'routes[1]',
      protocol: null,
      by: 'proxy',
      during: 'route',
    });
  });

  test('others are identified as ever', async () => {
    const line = await lineOf(async () => {
      const client = await dial(ports.front, '127.0.0.3');
      client.send(sshBanner);
      expect((await client.bytes(sshBanner.length)).toString()).toBe(sshBanner.toString());
      client.finish();
      await client.end();
    });
    expect(line).toMatchObject({ protocol: 'ssh', upstream: 'echo', reason: 'done' });
  });

  test('a server that speaks first greets a silent client', async () => {
    const line = await lineOf(async () => {
      const client = await dial(ports.mail);
      expect((await client.bytes(10)).toString()).toBe('220 mail\r\n');
      client.finish();
      (await greeting.peer(greeting.peers.length - 1)).finish();
      await client.end();
    });
    expect(line).toMatchObject({ upstream: 'mail', protocol: null, reason: 'done' });
  });

  test('a handler, too', async () => {
    const client = await dial(ports.handled);
    client.send('ab').finish();
    expect(await client.end()).toBe('fin');
    expect(client.received.toString()).toBe('ab');
  });

  test('a route before it that bytes decide is asked first', async () => {
    const client = await dial(ports.late, '127.0.0.2');
    expect(await endOf(ports.front, '127.0.0.2')).toBe('reset');
    expect(client.ending).toBeUndefined();
    client.send(sshBanner);
    expect(await client.end()).toBe('reset');
  });

  test('behind a PROXY header the announced source counts, as soon as the header is there', async () => {
    const refused = await dial(ports.proxied);
    refused.send('PROXY TCP4 192.0.2.7 10.0.0.1 1 2\r\n');
    expect(await refused.end()).toBe('reset');
    const taken = await dial(ports.proxied);
    taken.send('PROXY TCP4 198.51.100.7 10.0.0.1 1 2\r\n');
    expect((await taken.bytes(10)).toString()).toBe('220 mail\r\n');
    taken.reset();
  });

  test('a crowd at once', async () => {
    const greeted = Array.from({ length: 200 }, async () => {
      const client = await dial(ports.mail);
      await client.bytes(10);
      client.reset();
      return 'greeted';
    });
    const refused = Array.from({ length: 200 }, () => endOf(ports.front, '127.0.0.2'));
    const ends = await Promise.all([...greeted, ...refused]);
    expect(ends).toEqual([...greeted.map(() => 'greeted'), ...refused.map(() => 'reset')]);
  });
});

test('explain agrees, and says where each route is written', async () => {
  const folder = tempFolder();
  const write = (name: string, text: string) => writeFileSync(join(folder.path, name), text);
  write(
    'anyport.yaml',
    [
      'include: more.yaml',
      'server: { listen: ":1" }',
      'routes:',
      '  - { when: { source: "10.0.0.0/8" }, to: reset }',
      'protocols:',
      '  - name: SSH',
      '    target: "10.0.0.1:22"',
    ].join('\n'),
  );
  write('more.yaml', 'routes:\n\n  - { when: { sni: a.example }, to: close }\n');
  const { stdout, stderr } = await runProgram(
    'node',
    [`${process.cwd()}/dist/cli/main.js`, 'explain', '-c', 'anyport.yaml', '--from', '10.1.1.1', '--json'],
    { cwd: folder.path, input: '' },
  );
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toMatchObject({
    verdict: 'unread',
    outcome: { target: 'reset', by: 'route' },
    routes: [
      { place: 'anyport.yaml:4', verdict: 'taken' },
      { name: 'routes[0] (more.yaml:3:5)', place: 'more.yaml:3', verdict: 'shadowed' },
      { name: 'protocols.SSH', place: 'anyport.yaml:6' },
    ],
  });
  folder.remove();
});

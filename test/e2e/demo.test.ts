/** The embedded default: one port without a file, on which a browser, redis-cli and a curious person get answers. */
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { anyport, type Daemon, startWithFlags } from '../support/daemon.js';
import { freePort } from '../support/ports.js';
import { runProgram } from '../support/process.js';
import { dial, listenTcp } from '../support/tcp.js';
import { describeWith } from '../support/tools.js';

describeWith('curl', 'redis-cli')('anyport run without a file or routes', () => {
  let daemon: Daemon;
  let adminPort: number;

  beforeAll(async () => {
    const port = await freePort();
    adminPort = await freePort();
    daemon = await startWithFlags([`--listen=127.0.0.1:${port}`, `--admin=127.0.0.1:${adminPort}`], port);
  });
  afterAll(() => daemon.stop());

  test('the ready line says what to try', () => {
    const ready = daemon.lines.find(({ msg }) => msg === 'ready');
    expect(ready?.try).toEqual([
      `curl http://127.0.0.1:${daemon.port}/`,
      `redis-cli -p ${daemon.port} ping`,
      `curl http://127.0.0.1:${adminPort}/metrics`,
      `anyport status --admin 127.0.0.1:${adminPort}`,
    ]);
    expect(ready?.admin).toBe(`127.0.0.1:${adminPort}`);
  });

  test('curl gets a page that says how it was identified', async () => {
    const { status, stdout } = await runProgram('curl', ['-sS', `http://127.0.0.1:${daemon.port}/`]);
    expect({ status, stdout }).toMatchObject({ status: 0, stdout: expect.stringMatching(/http/i) });
    const missing = [
      '-s',
      '-o',
      '/dev/null',
      '-w',
      '%{http_code}',
      `http://127.0.0.1:${daemon.port}/missing`,
    ];
    expect((await runProgram('curl', missing)).stdout).toBe('404');
  });

  const commands = [
    { args: ['ping'], answer: /^PONG$/m },
    { args: ['echo', 'over here'], answer: /^over here$/m },
    { args: ['info'], answer: /anyport/ },
  ];
  test.each(commands)('redis-cli $args', async ({ args, answer }) => {
    const { status, stdout } = await runProgram('redis-cli', ['-p', `${daemon.port}`, ...args]);
    expect({ status, stdout }).toMatchObject({ status: 0, stdout: expect.stringMatching(answer) });
  });

  test('status, metrics and health are on the control interface', async () => {
    const site = `127.0.0.1:${adminPort}`;
    const { status, stdout } = await anyport(['status', '--admin', site]);
    expect({ status, stdout }).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^status +ready$/m),
    });
    for (const path of ['/metrics', '/health/ready', '/health/live', '/']) {
      expect((await fetch(`http://${site}${path}`)).status).toBe(200);
    }
  });

  test('any other bytes come back', async () => {
    const client = await dial(daemon.port);
    const sent = Buffer.concat([Buffer.from('\x01\x02 hello\n'), Buffer.alloc(300_000, 'x')]);
    client.send(sent).finish();
    expect(await client.end()).toBe('fin');
    expect(client.received.equals(sent)).toBe(true);
  });
});

describe('a port in use', () => {
  test('its own, which nobody chose: it takes another one, and says so', async () => {
    // Taken by this test or by another process: either will do.
    const taken = createServer()
      .listen(9090, '127.0.0.1')
      .on('error', () => {});
    await new Promise((resolve) => taken.once('listening', resolve).once('error', resolve));
    const daemon = await startWithFlags([], 9090);
    const ready = daemon.lines.find(({ msg }) => msg === 'ready') as unknown as {
      listeners: { address: string }[];
    };
    const port = Number(ready.listeners[0]?.address.split(':').at(-1));
    expect(port).not.toBe(9090);
    expect(daemon.lines.find(({ level }) => level === 'warn')?.msg).toMatch(
      /127\.0\.0\.1:9090.*in use.*another address.*another port/,
    );
    const client = (await dial(port)).send('\x01 hello').finish();
    await client.end();
    expect(client.received.toString()).toBe('\x01 hello');
    await daemon.stop();
    taken.close();
  });

  test('that of the control interface, which nobody chose: it warns and goes on without', async () => {
    const taken = createServer()
      .listen(9093, '127.0.0.1')
      .on('error', () => {});
    await new Promise((resolve) => taken.once('listening', resolve).once('error', resolve));
    const port = await freePort();
    const daemon = await startWithFlags([`--listen=127.0.0.1:${port}`], port);
    expect(daemon.lines.find(({ level }) => level === 'warn')?.msg).toMatch(
      /control interface can not listen on 127\.0\.0\.1:9093.*in use.*goes on without it/,
    );
    const ready = daemon.lines.find(({ msg }) => msg === 'ready');
    expect(ready).not.toHaveProperty('admin');
    expect(ready?.try).toHaveLength(2);
    await daemon.stop();
    taken.close();
  });

  test('that of the control interface, which was chosen: it exits with 1', async () => {
    const taken = await listenTcp();
    const { status, stdout } = await anyport(['run', '--listen', '127.0.0.1:0', '--admin', taken.target]);
    expect(status).toBe(1);
    expect(stdout).toMatch(new RegExp(`control interface can not listen on ${taken.target}.*in use`));
    await taken.close();
  });

  test('one that was chosen: it says how to choose another, and exits with 1', async () => {
    const taken = await listenTcp();
    const { status, stdout } = await anyport(['run', '--listen', taken.target]);
    expect(status).toBe(1);
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      level: 'fatal',
      msg: expect.stringMatching(new RegExp(`${taken.target}.*in use.*another address`)),
    });
    await taken.close();
  });
});

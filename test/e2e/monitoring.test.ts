/** What monitoring systems see of a running daemon. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { redisPing } from '../support/flights.js';
import { runProgram } from '../support/process.js';
import { dial, echo, listenTcp, type Upstream } from '../support/tcp.js';
import { describeWith } from '../support/tools.js';
import { eventually } from '../support/wait.js';

let daemon: Daemon;
let upstream: Upstream;

beforeEach(async () => {
  upstream = await listenTcp(echo);
  daemon = await startDaemon({
    server: { max_connections: 50 },
    protocols: [{ name: 'Redis', target: upstream.target }],
  });
});

afterEach(async () => {
  await daemon.stop();
  await upstream.close();
});

describeWith('promtool')('promtool', () => {
  test('finds nothing to complain about, after sessions of several endings', async () => {
    const clients = await Promise.all(Array.from({ length: 4 }, () => dial(daemon.port)));
    for (const client of clients) client.send(redisPing);
    await Promise.all(clients.map((client) => client.bytes(redisPing.length)));
    clients[0]?.reset();
    clients[1]?.finish();
    await daemon.ended(2);
    const input = await (await daemon.get('/metrics')).text();
    const checked = await runProgram('promtool', ['check', 'metrics'], { input });
    expect(checked).toEqual({ status: 0, stdout: '', stderr: '' });
  });
});

test('says what runs, and under which limits', async () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
  const samples = await daemon.metrics();
  const info = samples.find(({ name }) => name === 'anyport_build_info');
  expect(info).toEqual({
    name: 'anyport_build_info',
    labels: { version, node_version: process.version },
    value: 1,
  });
  expect(await daemon.metric('anyport_max_connections')).toBe(50);
  const limits = readFileSync(`/proc/${daemon.pid}/limits`, 'utf8');
  const soft = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1]);
  expect(await daemon.metric('anyport_max_open_files')).toBe(soft);
});

test('says when an accept backlog was full, which nobody else tells', async () => {
  const before = await daemon.metric('anyport_listen_overflows_total');
  // It listens and never accepts.
  const server = `require('net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, function () {
    require('fs').writeSync(1, this.address().port + '\\n'); process.kill(process.pid, 'SIGSTOP'); })`;
  const deaf = spawn(process.execPath, ['-e', server], { stdio: ['ignore', 'pipe', 'inherit'] });
  const clients: Socket[] = [];
  try {
    const [port] = await once(deaf.stdout, 'data');
    await eventually('an overflow', async () => {
      clients.push(connect(Number(port), '127.0.0.1').on('error', () => {}));
      return (await daemon.metric('anyport_listen_overflows_total')) > before;
    });
    expect(await daemon.metric('anyport_listen_drops_total')).toBeGreaterThanOrEqual(
      await daemon.metric('anyport_listen_overflows_total'),
    );
  } finally {
    for (const client of clients) client.destroy();
    deaf.kill('SIGKILL');
  }
});

describe('silent connections', () => {
  async function crowd(count: number): Promise<Socket[]> {
    return Promise.all(
      Array.from({ length: count }, async () => {
        const socket = connect(daemon.metricsPort, '127.0.0.1').on('error', () => {});
        // Other connections may be reset before `connect` is emitted.
        await Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(() => {});
        return socket;
      }),
    );
  }

  test('forty of them, coming back whenever they are closed, cost no probe its answer', async () => {
    const crowds = [await crowd(40)];
    const answers: number[] = [];
    for (let probe = 0; probe < 60; probe++) {
      answers.push((await daemon.get(probe % 2 === 0 ? '/health/ready' : '/metrics')).status);
      if (probe % 10 === 0) crowds.push(await crowd(40));
    }
    expect(answers).toEqual(answers.map(() => 200));
    expect(await daemon.metric('anyport_monitoring_evicted_total')).toBeGreaterThan(40);
    for (const socket of crowds.flat()) socket.destroy();
  });
});

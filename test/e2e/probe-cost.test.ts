/** What checks cost the daemon: a thousand endpoints, and endpoints that are hostile to whoever asks. Figures are printed. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { freePort } from '../support/ports.js';
import { openFiles, residentBytes } from '../support/proc.js';
import { eventually } from '../support/wait.js';

const servers: Server[] = [];
let daemon: Daemon;

afterEach(async () => {
  await daemon.stop();
  for (const server of servers.splice(0)) server.close();
});

async function serve(onConnection: (socket: Socket) => void, host = '127.0.0.1'): Promise<number> {
  const port = await freePort();
  const server = createServer((socket) => {
    socket.on('error', () => {});
    onConnection(socket);
  });
  servers.push(server);
  server.listen({ port, host, backlog: 4096 });
  await once(server, 'listening');
  return port;
}

/** CPU time of the primary's thread so far. */
const primaryNs = ({ pid }: Daemon) =>
  Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ')[0]);

const probes = () => daemon.metric('anyport_health_checks_total');

/** CPU time of the primary for each probe, over so many of them. */
async function nsPerProbe(count: number): Promise<number> {
  const [before, beforeNs] = [await probes(), primaryNs(daemon)];
  await eventually('probes', async () => {
    // Scrapes cost too, and are not what is measured.
    await sleep(500);
    return (await probes()) >= before + count;
  });
  const [after, afterNs] = [await probes(), primaryNs(daemon)];
  return (afterNs - beforeNs) / (after - before);
}

const SPAN_MS = 3000;

/** Milliseconds of CPU time that the primary takes in a second. */
async function msPerSecond(): Promise<number> {
  const [before, beforeMs] = [primaryNs(daemon), performance.now()];
  await sleep(SPAN_MS);
  return (primaryNs(daemon) - before) / 1e3 / (performance.now() - beforeMs);
}

/** CPU time of this process to connect and to be connected to. */
async function nsPerConnection(port: number, count: number): Promise<number> {
  const before = process.cpuUsage();
  for (let at = 0; at < count; at += 50) {
    await Promise.all(
      Array.from({ length: 50 }, async () => {
        const socket = connect(port, '127.0.0.1');
        await once(socket, 'connect');
        socket.destroy();
      }),
    );
  }
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1000) / count;
}

test('a thousand endpoints each second: a probe costs little more than a connection', async () => {
  const port = await serve((socket) => socket.resume(), '0.0.0.0');
  const endpoints = Array.from(
    { length: 1000 },
    (_, index) => `127.1.${Math.floor(index / 200)}.${(index % 200) + 1}:${port}`,
  );
  daemon = await startDaemon({
    protocols: [{ name: 'Redis', target: 'many' }],
    upstreams: { many: { endpoints, health_check: { type: 'tcp', interval: '1s', timeout: '20s' } } },
  });
  await eventually('each to be asked', async () => (await probes()) >= 1000);
  const each = await nsPerProbe(3000);
  const connection = await nsPerConnection(port, 1000);
  const figures = {
    us_per_probe: Math.round(each / 1000),
    us_per_connection_of_node: Math.round(connection / 1000),
    cores_at_1000_a_second: Number((each / 1e6).toFixed(3)),
  };
  console.log(`1000 endpoints asked each second: ${JSON.stringify(figures)}`);
  expect(await daemon.metric('anyport_endpoint_up')).toBe(1000);
  expect(each).toBeLessThan(5 * connection);
});

const hostile = {
  drips: (socket: Socket) => {
    const drip = setInterval(() => socket.write('+'), 5);
    socket.on('close', () => clearInterval(drip));
  },
  floods: (socket: Socket) => {
    const flood = Buffer.alloc(1 << 20, '+');
    const pour = () => {
      while (socket.writable && socket.write(flood));
    };
    socket.on('drain', pour);
    pour();
  },
  resets: (socket: Socket) => void socket.once('data', () => socket.resetAndDestroy()),
  'is silent': (socket: Socket) => void socket.resume(),
};

test('hostile endpoints: no more CPU time than well ones, no memory, no descriptors, one line each', async () => {
  const answers = (socket: Socket) => void socket.on('data', () => socket.end('+PONG\r\n'));
  const check = { type: 'redis', interval: '100ms', timeout: '300ms', rise: 2, fall: 3 };
  const configOf = (ports: readonly number[]) => ({
    protocols: [{ name: 'Redis', target: 'cache' }],
    upstreams: { cache: { endpoints: ports.map((port) => `127.0.0.1:${port}`), health_check: check } },
  });
  const count = Object.keys(hostile).length;
  const wellPorts = await Promise.all(Array.from({ length: count }, () => serve(answers)));
  const hostilePorts = await Promise.all(Object.values(hostile).map((one) => serve(one)));
  daemon = await startDaemon(configOf(wellPorts));
  await eventually('probes', async () => (await probes()) > 50);
  const well = await msPerSecond();
  const from = daemon.lines.length;
  await daemon.reload(configOf(hostilePorts));
  await daemon.metricBecomes('anyport_endpoint_up', 0);
  const [bytes, files] = [residentBytes(daemon.pid), openFiles(daemon.pid)];
  const ill = await msPerSecond();
  const grown = residentBytes(daemon.pid) - bytes;
  const figures = { well_ms: Math.round(well), hostile_ms: Math.round(ill), grown_kib: grown / 1024 };
  console.log(
    `primary's CPU time in a second, ${count} endpoints asked each 100 ms: ${JSON.stringify(figures)}`,
  );
  expect(ill).toBeLessThan(5 * well);
  expect(grown).toBeLessThan(32 * 1024 * 1024);
  expect(openFiles(daemon.pid)).toBeLessThanOrEqual(files + count);
  const told = daemon.lines.slice(from).filter(({ msg }) => msg === 'endpoint is down');
  expect(told).toHaveLength(count);
  expect(new Set(told.map(({ endpoint }) => endpoint))).toEqual(
    new Set(hostilePorts.map((port) => `127.0.0.1:${port}`)),
  );
  for (const { why } of told) expect(String(why)).not.toContain('+');
});

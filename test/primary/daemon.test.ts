/** The primary end to end: the built daemon in a process of its own, with real workers. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { freePort } from '../support/ports.js';
import { eventually, within } from '../support/wait.js';
import { configOf, host, type Wanted } from './config.js';

const here = (name: string) => new URL(`./${name}`, import.meta.url);

/** Delays the workers' start: they are ready only when it has loaded. */
const slowHandler =
  'data:text/javascript,await new Promise((r) => setTimeout(r, 1000)); export default () => {}';

interface Line {
  readonly level: string;
  readonly msg: string;
  readonly [key: string]: unknown;
}

class Daemon {
  readonly lines: Line[] = [];
  readonly exited: Promise<unknown>;
  readonly #child: ChildProcess;
  readonly #monitoringPort: number;

  constructor(wanted: Wanted, wrapper: readonly string[] = []) {
    const [program = process.execPath, ...args] = [
      ...wrapper,
      process.execPath,
      fileURLToPath(here('run-daemon.mjs')),
      JSON.stringify(configOf(wanted)),
    ];
    this.#child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#monitoringPort = wanted.monitoringPort;
    this.exited = once(this.#child, 'close').then(([status]) => status);
    createInterface({ input: this.#child.stdout as NonNullable<ChildProcess['stdout']> }).on('line', (line) =>
      this.lines.push(JSON.parse(line)),
    );
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exited;
  }

  line(msg: string | RegExp): Promise<Line> {
    return eventually(`a line ${msg}`, () => this.lines.find((line) => line.msg.match(msg) !== null));
  }

  /** Connects; the connection may be refused. */
  async knock(): Promise<Socket> {
    const { listeners } = (await this.line('ready')) as unknown as { listeners: { address: string }[] };
    const socket = connect(Number(listeners[0]?.address.split(':').at(-1)), host);
    socket.on('error', () => {});
    return socket;
  }

  async dial(): Promise<Socket> {
    const socket = await this.knock();
    await once(socket, 'connect');
    return socket;
  }

  async health(): Promise<{ code: number; status: string }> {
    const answer = await this.#get('/health/ready');
    return { code: answer.status, ...((await answer.json()) as { status: string }) };
  }

  /** Sum of samples per metric. */
  async metrics(): Promise<Record<string, number>> {
    const text = await (await this.#get('/metrics')).text();
    const sums: Record<string, number> = {};
    for (const [, name = '', value] of text.matchAll(/^(anyport_\w+)(?:\{.*\})? (.+)$/gm)) {
      sums[name] = (sums[name] ?? 0) + Number(value);
    }
    return sums;
  }

  #get(path: string): Promise<Response> {
    return fetch(`http://${host}:${this.#monitoringPort}${path}`, { headers: { connection: 'close' } });
  }
}

async function echoes(socket: Socket): Promise<string> {
  socket.write('hello');
  const closed = once(socket, 'close').then(() => 'closed');
  return within('an echo', Promise.race([once(socket, 'data').then(String), closed]));
}

const daemons: Daemon[] = [];
afterEach(async () => {
  await Promise.all(daemons.splice(0).map((daemon) => daemon.kill()));
});

async function start(
  wanted: Omit<Wanted, 'monitoringPort'> = {},
  wrapper?: readonly string[],
): Promise<Daemon> {
  const daemon = new Daemon({ monitoringPort: await freePort(), ...wanted }, wrapper);
  daemons.push(daemon);
  return daemon;
}

describe('start', () => {
  test('one line when all is ready, with where it listens', async () => {
    const daemon = await start();
    const ready = await daemon.line('ready');
    expect(ready).toMatchObject({
      level: 'info',
      listeners: [
        { name: 'front', address: expect.stringMatching(/^127\.0\.0\.1:[1-9]\d*$/), transport: 'tcp' },
      ],
      workers: 2,
      version: '1.2.3',
      pid: expect.any(Number),
    });
    expect(daemon.lines[0]).toMatchObject({ level: 'warn', msg: 'a warning' });
    expect(await daemon.health()).toMatchObject({ code: 200, status: 'ready' });
    daemon.signal('SIGTERM');
    expect(await daemon.exited).toBe(0);
    expect(daemon.lines.filter(({ msg }) => msg === 'ready')).toHaveLength(1);
  });

  test('a monitoring port in use is one line that names it, and exit 1', async () => {
    const taken = createServer().listen(0, host);
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const daemon = new Daemon({ monitoringPort: port });
    daemons.push(daemon);
    expect(await daemon.exited).toBe(1);
    const [line, ...others] = daemon.lines.filter(({ level }) => level !== 'warn');
    expect(line).toMatchObject({ level: 'fatal', msg: expect.stringContaining(`${host}:${port}`) });
    expect(others).toEqual([]);
    taken.close();
  });

  test('a handler that can not be loaded is named, and exit 1', async () => {
    const daemon = await start({ handler: 'builtin:nothing' });
    expect(await daemon.exited).toBe(1);
    expect(daemon.lines.at(-1)).toMatchObject({ level: 'fatal', msg: expect.stringContaining('"nothing"') });
  });

  test('told twice to stop meanwhile, it stops, and says nothing else', async () => {
    const daemon = await start({ handler: slowHandler });
    await eventually('starting', () => daemon.health().catch(() => undefined));
    daemon.signal('SIGTERM');
    daemon.signal('SIGINT');
    expect(await daemon.exited).toBe(0);
    expect(daemon.lines.map(({ msg }) => msg)).toEqual(['a warning', 'stopped']);
  });

  test('too few open files lower the limit of connections, with a warning', async () => {
    // The program's modules are read many at a time: these files must suffice for them, too.
    const daemon = await start({}, ['prlimit', '--nofile=250:250']);
    const warning = await daemon.line(/too few open files/);
    expect(warning).toMatchObject({ max_connections: 100, files_allowed: 250 });
    const effective = Number(warning.effective);
    expect(effective).toBeLessThan(100);
    await daemon.line('ready');
    const sockets = await Promise.all(Array.from({ length: effective }, () => daemon.dial()));
    for (const socket of sockets) expect(await echoes(socket)).toBe('hello');
    const over = await daemon.knock();
    await new Promise((resolve) => over.once('close', resolve));
    expect(await daemon.metrics()).toMatchObject({
      anyport_accepted_total: effective + 1,
      anyport_refused_total: 1,
    });
  });
});

describe.each(['reuseport', 'handoff'] as const)('accept: %s', (accept) => {
  test('a worker that dies is replaced; the sessions of the others live on, and all are accounted for', async () => {
    const CLIENTS = 40;
    const daemon = await start({ server: { accept } });
    const sockets: Socket[] = [];
    for (let i = 0; i < CLIENTS; i++) {
      const socket = await daemon.dial();
      expect(await echoes(socket)).toBe('hello');
      sockets.push(socket);
    }
    const closed = new Set<Socket>();
    for (const socket of sockets) socket.once('close', () => closed.add(socket));
    (sockets[0] as Socket).write('die');
    const death = await daemon.line('a worker died and is replaced');
    expect(death).toMatchObject({ level: 'error', error: expect.stringContaining('9') });
    await eventually('health', async () => ((await daemon.health()).status === 'ready' ? true : undefined));
    const { anyport_sessions_total: ended } = await daemon.metrics();
    await eventually('the clients of the dead worker to hear of it', () => closed.size === ended);

    const alive = sockets.filter((socket) => !closed.has(socket));
    expect(closed.size).toBeGreaterThan(0);
    expect(alive.length).toBeGreaterThan(0);
    for (const socket of alive) expect(await echoes(socket)).toBe('hello');
    expect(await daemon.metrics()).toMatchObject({
      anyport_accepted_total: CLIENTS,
      anyport_sessions_active: alive.length,
      anyport_sessions_total: closed.size,
      anyport_worker_restarts_total: 1,
      anyport_workers: 2,
    });
    for (let i = 0; i < 16; i++) expect(await echoes(await daemon.dial())).toBe('hello');
  });

  test('what a dead worker held does not count against the limit of connections', async () => {
    const daemon = await start({ server: { accept, workers: 1, maxConnections: 4 } });
    for (let round = 0; round < 3; round++) {
      const sockets: Socket[] = [];
      for (let i = 0; i < 4; i++) {
        sockets.push(await daemon.dial());
        expect(await echoes(sockets.at(-1) as Socket)).toBe('hello');
      }
      (sockets[0] as Socket).write('die');
      await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve))));
    }
    expect(await echoes(await daemon.dial())).toBe('hello');
    expect(await daemon.metrics()).not.toHaveProperty('anyport_refused_total');
  });

  test('SIGTERM: not ready at once, nobody new, those inside finish, exit 0', async () => {
    const daemon = await start({ server: { accept } });
    const socket = await daemon.dial();
    const source = `${socket.localAddress}:${socket.localPort}`;
    expect(await echoes(socket)).toBe('hello');
    daemon.signal('SIGTERM');
    await daemon.line('draining');
    expect(await daemon.health()).toMatchObject({ code: 503, status: 'draining' });
    await eventually('refusal', () =>
      daemon.dial().then(
        (late) => void late.destroy(),
        () => true,
      ),
    );
    expect(await echoes(socket)).toBe('hello');
    socket.end();
    expect(await daemon.exited).toBe(0);
    expect(daemon.lines.at(-1)).toMatchObject({ msg: 'stopped' });
    const ended = daemon.lines.filter(({ msg }) => msg === 'session');
    expect(ended).toContainEqual(expect.objectContaining({ source, reason: 'done' }));
  });

  test('a second signal does not wait', async () => {
    const daemon = await start({ server: { accept } });
    const socket = await daemon.dial();
    expect(await echoes(socket)).toBe('hello');
    daemon.signal('SIGTERM');
    await daemon.line('draining');
    daemon.signal('SIGINT');
    expect(await daemon.exited).toBe(1);
    expect(daemon.lines.at(-1)).toMatchObject({ msg: 'stopped before every session had ended' });
    expect(daemon.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  test('a worker that hangs does not hold up the end for ever', async () => {
    const daemon = await start({ server: { accept, gracefulShutdownTimeoutMs: 1000 } });
    const socket = await daemon.dial();
    expect(await echoes(socket)).toBe('hello');
    socket.write('hang');
    daemon.signal('SIGTERM');
    expect(await daemon.exited).toBe(1);
  });
});

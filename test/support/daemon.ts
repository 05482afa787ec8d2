/** The built daemon as users run it: started with a file or flags, observed through log and metrics, stopped. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { renameSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { parseMetrics, type Sample, total } from './metrics.js';
import { freePort } from './ports.js';
import { collect, type Finished, runProgram } from './process.js';
import { type TempFolder, tempFolder } from './temp.js';
import { eventually, within } from './wait.js';

const program = resolve('dist/cli/main.js');

export interface LogLine {
  readonly level: string;
  /** ISO 8601. */
  readonly time: string;
  readonly msg: string;
  readonly [key: string]: unknown;
}

/** The access log's line: one a session, at its end. */
export interface SessionLine extends LogLine {
  readonly listener: string;
  readonly protocol: string | null;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly source: string;
  /** Of a flow, or a stream of a KCP link. */
  readonly transport?: 'udp' | 'kcp';
  readonly upstream: string | null;
  readonly endpoint: string | null;
  readonly opening_bytes: number;
  readonly bytes_up: number;
  readonly bytes_down: number;
  readonly identify_ms: number | null;
  readonly connect_ms: number | null;
  readonly duration_ms: number;
  readonly by: string;
  readonly during: string;
  readonly reason: string;
  readonly worker: number;
}

export type ServerSection = Readonly<Record<string, unknown>>;

/** Sections of a configuration file; `server.listen` and the monitoring ports are chosen when left out. */
export interface TestConfig {
  readonly server?: ServerSection;
  readonly listeners?: readonly unknown[];
  readonly [section: string]: unknown;
}

export interface StartOptions {
  /** Further flags of `anyport run`. */
  readonly flags?: readonly string[];
  /** A command that runs the daemon, such as `prlimit --nofile=60`. */
  readonly wrapper?: readonly string[];
  /** Variables beside those of the tests. */
  readonly environment?: NodeJS.ProcessEnv;
  /** Start it as the package's `bin` does, not by its main module. */
  readonly asInstalled?: true;
  /** Modules do not run as root. */
  readonly asRoot?: 'refused';
  /** Root of another built checkout whose daemon to start. */
  readonly checkout?: string;
}

/** `since`: the earliest that its session can have begun, in ms since the epoch. */
interface Client {
  readonly address: string;
  readonly since?: number;
}

export class Daemon {
  readonly lines: LogLine[] = [];
  readonly #stderr: () => string;
  /** Resolves when the process has ended and its last line has been read. */
  readonly #closed: Promise<unknown>;
  readonly #given = new Set<SessionLine>();

  constructor(
    readonly child: ChildProcess,
    readonly port: number,
    readonly metricsPort: number,
    readonly folder: TempFolder,
  ) {
    if (!child.stdout || !child.stderr) throw new Error('the daemon was started without pipes');
    createInterface({ input: child.stdout }).on('line', (line) => this.lines.push(JSON.parse(line)));
    this.#stderr = collect(child.stderr);
    this.#closed = once(child, 'close');
  }

  get pid(): number {
    return this.child.pid ?? -1;
  }

  get stderr(): string {
    return this.#stderr();
  }

  /** Access log lines so far. */
  get sessions(): SessionLine[] {
    return this.lines.filter((line) => line.msg === 'session') as SessionLine[];
  }

  /**
   * Waits for the first line with this message, from the nth line on. What the daemon does is often seen elsewhere before
   * its line has been read.
   */
  line(msg: string, from = 0): Promise<LogLine> {
    return eventually(`the line: ${msg}`, () => this.lines.slice(from).find((each) => each.msg === msg));
  }

  /** Waits until `count` sessions have ended in total. */
  async ended(count: number): Promise<SessionLine[]> {
    await eventually(
      `${count} ended sessions (${this.sessions.length})`,
      () => this.sessions.length >= count,
    );
    return this.sessions;
  }

  /**
   * Waits for the line of one client's session. The system gives addresses again: each line is returned once, and none
   * from before the client was there.
   */
  async sessionOf({ address, since = 0 }: Client): Promise<SessionLine> {
    const isIts = (line: SessionLine) =>
      line.source === address && Date.parse(line.time) >= since && !this.#given.has(line);
    const line = await eventually(`the session of ${address} to end`, () => this.sessions.find(isIts));
    this.#given.add(line);
    return line;
  }

  /** Waits for `ready`; a daemon that fails to start is stopped. */
  async ready(): Promise<this> {
    try {
      await eventually('the ready line', () => {
        if (this.child.exitCode !== null) throw new Error(`ended with ${this.child.exitCode}`);
        return this.lines.some((line) => line.msg === 'ready');
      });
      return this;
    } catch (error) {
      this.child.kill('SIGKILL');
      this.folder.remove();
      throw new Error(`${error}; stderr: ${this.stderr}`);
    }
  }

  /** Requests a monitoring resource. */
  get(path: string): Promise<Response> {
    return get(this.metricsPort, path);
  }

  async metrics(): Promise<Sample[]> {
    const answer = await this.get('/metrics');
    return parseMetrics(await answer.text());
  }

  /** Current sum of a metric's samples. */
  async metric(name: string, labels: Record<string, string> = {}): Promise<number> {
    return total(await this.metrics(), name, labels);
  }

  /** Waits for a sum of samples. */
  async metricBecomes(name: string, wanted: number, labels: Record<string, string> = {}): Promise<void> {
    await eventually(`${name} ${JSON.stringify(labels)} to be ${wanted}`, async () => {
      return (await this.metric(name, labels)) === wanted;
    });
  }

  /** Waits until accepted connections equal ended plus open ones. */
  async booksBalance(): Promise<void> {
    await eventually('accepted to equal ended + active', async () => {
      const samples = await this.metrics();
      const ended = total(samples, 'anyport_sessions_total');
      const active = total(samples, 'anyport_sessions_active');
      return total(samples, 'anyport_accepted_total') === ended + active;
    });
  }

  /** Path of its configuration file. */
  get file(): string {
    return `${this.folder.path}/anyport.yaml`;
  }

  /** The text of its configuration file. */
  textOf(config: TestConfig): string {
    return textOf(config, this.port, this.metricsPort);
  }

  /** Replaces its configuration file as editors do: a new file takes the name. */
  configure(config: TestConfig | string): void {
    writeFileSync(`${this.file}.new`, typeof config === 'string' ? config : this.textOf(config));
    renameSync(`${this.file}.new`, this.file);
  }

  /** Waits for the next line, from the nth on, that says what became of a reload; after a refusal for its problems too. */
  async outcome(from: number): Promise<LogLine> {
    const said = /^(reloaded|reload refused|the configuration is unchanged)/;
    return eventually('the outcome of a reload', () => {
      const line = this.lines.slice(from).find(({ msg }) => said.test(msg));
      if (line === undefined) return undefined;
      const behind = this.lines.length - 1 - this.lines.indexOf(line);
      return behind >= Number(line.problems ?? 0) ? line : undefined;
    });
  }

  /** Sends SIGHUP, with another file if one is given; returns the line that says what became of it. */
  async reload(config?: TestConfig | string): Promise<LogLine> {
    if (config !== undefined) this.configure(config);
    const before = this.lines.length;
    this.signal('SIGHUP');
    return this.outcome(before);
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** Waits for the process to end and for its output; returns the exit status. */
  async exit(): Promise<number | null> {
    await within('the daemon to end', this.#closed);
    return this.child.exitCode;
  }

  /** Ends it with the sessions that it has: it is told so a second time. */
  async cut(): Promise<void> {
    this.signal('SIGTERM');
    await eventually('it to drain', () => this.lines.some(({ msg }) => msg === 'draining'));
    await this.stop();
  }

  /** Drains and ends it, and removes its folder. */
  async stop(): Promise<void> {
    this.signal('SIGTERM');
    await this.exit();
    this.folder.remove();
    // A sanitizer's report, an abort or a crash must not pass unnoticed.
    if (this.child.signalCode !== null && this.child.signalCode !== 'SIGKILL') {
      throw new Error(`the daemon died of ${this.child.signalCode}: ${this.stderr}`);
    }
  }
}

/** The tests' own modules may run as root. The flag is not known to every other checkout. */
const asRoot = ({ asRoot, checkout }: StartOptions = {}): string[] =>
  asRoot === 'refused' || checkout !== undefined ? [] : ['--allow-root'];

/** Starts `anyport run` on a configuration file and waits until it is ready. */
export async function startDaemon(config: TestConfig, options: StartOptions = {}): Promise<Daemon> {
  return (await launchDaemon(config, options)).ready();
}

/** Like startDaemon, without waiting for `ready`. */
export async function launchDaemon(config: TestConfig, options: StartOptions = {}): Promise<Daemon> {
  const port = await freePort();
  const metricsPort = await freePort();
  const folder = tempFolder();
  const file = `${folder.path}/anyport.yaml`;
  writeFileSync(file, textOf(config, port, metricsPort));
  const args = ['run', '-c', file, ...asRoot(options), ...(options.flags ?? [])];
  return new Daemon(spawnDaemon(args, folder.path, options), port, metricsPort, folder);
}

/** Starts `anyport run` on flags alone. `port` is what the flags say. */
export async function startWithFlags(flags: readonly string[], port: number): Promise<Daemon> {
  const folder = tempFolder();
  return new Daemon(spawnDaemon(['run', ...asRoot(), ...flags], folder.path), port, 0, folder).ready();
}

/** Runs any `anyport` command to its end. */
export const anyport = (args: readonly string[], cwd?: string): Promise<Finished> =>
  runProgram(process.execPath, [program, ...args], cwd ? { cwd, env: process.env } : { env: process.env });

function spawnDaemon(
  args: readonly string[],
  cwd: string,
  { wrapper = [], asInstalled, checkout = '.', environment = {} }: StartOptions = {},
): ChildProcess {
  const start = asInstalled
    ? [resolve(checkout, 'bin/anyport')]
    : [process.execPath, resolve(checkout, 'dist/cli/main.js')];
  const [command = process.execPath, ...rest] = [...wrapper, ...start, ...args];
  return spawn(command, rest, {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  });
}

/** Over HTTP on a new connection: a kept one might be closed while the request is sent. */
export const get = (port: number, path: string): Promise<Response> =>
  fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: 'close' } });

/** JSON is YAML. */
const textOf = (config: TestConfig, port: number, metricsPort: number): string =>
  JSON.stringify(complete(config, port, metricsPort), null, 2);

function complete(config: TestConfig, port: number, metricsPort: number): TestConfig {
  return {
    monitoring: { metrics_port: metricsPort, health_check_port: metricsPort },
    logging: { access_log_rate: 100_000 },
    ...config,
    server: {
      ...(config.listeners || config.forwards ? {} : { listen: `127.0.0.1:${port}` }),
      workers: 1,
      graceful_shutdown_timeout: '500ms', // tests end with open sessions
      reload_on_change: false, // tests say when
      identify_timeout: '10m', // so that none passes or fails by it that does not say so
      ...config.server,
    },
  };
}

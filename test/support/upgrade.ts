/** A daemon that is upgraded in place: the processes that follow each other, seen through one log. */
import { chmodSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Daemon, type LogLine, startDaemon, type TestConfig } from './daemon.js';
import { type TempFolder, tempFolder } from './temp.js';
import { eventually } from './wait.js';

const PROGRAM = resolve('dist/cli/main.js');

export class Generations {
  constructor(
    readonly daemon: Daemon,
    readonly folder: TempFolder,
    readonly launcher: string,
  ) {}

  /** Processes that have become ready, the oldest first. */
  get pids(): number[] {
    return this.daemon.lines.filter(({ msg }) => msg === 'ready').map(({ pid }) => pid as number);
  }

  /** The newest one. */
  get pid(): number {
    return this.pids.at(-1) as number;
  }

  get living(): number[] {
    return this.pids.filter(isAlive);
  }

  signal(name: NodeJS.Signals, pid = this.pid): void {
    process.kill(pid, name);
  }

  /** SIGUSR2; resolves with the pid of the process that has taken over. */
  async upgrade(): Promise<number> {
    const before = this.pids.length;
    this.signal('SIGUSR2');
    return eventually(`another process beside ${this.pids}; ${this.lastLines}`, () => this.pids[before]);
  }

  /** SIGUSR2 that is expected to fail; resolves with the line that says why. */
  async refused(): Promise<LogLine> {
    const before = this.daemon.lines.length;
    this.signal('SIGUSR2');
    return this.line(/^upgrade failed/, before);
  }

  line(msg: RegExp, from = 0): Promise<LogLine> {
    return eventually(`a line ${msg} in ${this.lastLines}`, () =>
      this.daemon.lines.slice(from).find((line) => msg.test(line.msg)),
    );
  }

  get lastLines(): string {
    return JSON.stringify(this.daemon.lines.slice(-5));
  }

  /** What the next upgrade starts: a script of sh; without one, the daemon. */
  replace(script = runs()): void {
    writeFileSync(this.launcher, `#!/bin/sh\n${script}\n`);
    chmodSync(this.launcher, 0o755);
  }

  /** Ends all processes, the newest first. */
  async stop(): Promise<void> {
    for (const pid of this.living.toReversed()) process.kill(pid, 'SIGTERM');
    await this.daemon.stop();
    this.folder.remove();
  }
}

/** Line of sh that runs the daemon. */
export const runs = (node = process.execPath): string => `exec ${node} ${PROGRAM} "$@"`;

export async function startGenerations(
  config: TestConfig,
  environment: NodeJS.ProcessEnv = {},
  wrapper: readonly string[] = [],
): Promise<Generations> {
  const folder = tempFolder();
  const launcher = `${folder.path}/launcher`;
  const daemon = await startDaemon(config, {
    wrapper,
    environment: { ANYPORT_LAUNCHER: launcher, ...environment },
  });
  const generations = new Generations(daemon, folder, launcher);
  generations.replace();
  return generations;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

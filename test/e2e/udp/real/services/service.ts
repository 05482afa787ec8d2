/** A real server with the client that speaks to it: what every service of these tests is. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'vitest';
import { cleanEnvironment, collect, runProgram } from '../../../../support/process.js';
import { type TempFolder, tempFolder } from '../../../../support/temp.js';
import { eventually, within } from '../../../../support/wait.js';

export interface At {
  readonly host: string;
  readonly port: number;
}

export interface Service {
  /** The programs, for the name of the test. */
  readonly name: string;
  /** As anyport names its first datagram. */
  readonly protocol: string;
  /** Programs and files that it takes (test/support/tools.json). */
  readonly tools: readonly string[];
  /** Returns once its client has been served by it, without anyport: so far the test is right. */
  start(): Promise<RunningService>;
}

export interface RunningService {
  /** Where anyport reaches it. */
  readonly target: string;
  /** Its client speaks to a port of anyport. Fails unless it is served. */
  through(port: number): Promise<void>;
  stop(): Promise<void>;
}

/** A server on a loopback port, in a folder of its own. */
export interface LoopbackRecipe extends Omit<Service, 'start'> {
  prepare?(folder: string, port: number): Promise<void> | void;
  server(folder: string, port: number): readonly string[];
  /** Fails unless the client is served. */
  ask(at: At, folder: string): Promise<void>;
}

export const loopbackService = (recipe: LoopbackRecipe, wanted: () => Promise<number>): Service => ({
  name: recipe.name,
  protocol: recipe.protocol,
  tools: recipe.tools,
  async start() {
    const folder = tempFolder();
    const host = '127.0.0.1';
    const port = await wanted();
    await recipe.prepare?.(folder.path, port);
    const server = new ServerProcess(recipe.server(folder.path, port), folder);
    const ask = (asked: number) => recipe.ask({ host, port: asked }, folder.path);
    await server.serves(() => ask(port));
    return { target: `${host}:${port}`, through: ask, stop: () => server.stop() };
  },
});

export class ServerProcess {
  readonly #child: ChildProcess;
  readonly #said: () => string;

  constructor(
    private readonly command: readonly string[],
    private readonly folder: TempFolder,
  ) {
    const [program = '', ...args] = command;
    this.#child = spawn(program, args, {
      cwd: folder.path,
      env: cleanEnvironment({ HOME: folder.path, PATH: `${process.env.PATH}:/usr/sbin:/sbin` }),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [out, err] = [this.#child.stdout, this.#child.stderr].map((each) =>
      each ? collect(each) : () => '',
    );
    this.#said = () => `${out?.()}${err?.()}`;
  }

  /** What has to be done while it runs, and fails with what it has said. */
  async during<Result>(work: Promise<Result> | undefined): Promise<Result | undefined> {
    return work?.catch((error: unknown) => {
      const { exitCode } = this.#child;
      const state = exitCode === null ? 'runs' : `ended with ${exitCode}`;
      throw new Error(`${error}; ${this.command.join(' ')} ${state}: ${this.#said()}`);
    });
  }

  /** Waits until a client is served. */
  async serves(ask: () => Promise<void>): Promise<void> {
    let why: unknown;
    await eventually(`${this.command[0]} to serve`, async () => {
      if (this.#child.exitCode !== null)
        throw new Error(`${this.command.join(' ')} ended with ${this.#child.exitCode}: ${this.#said()}`);
      return ask().then(
        () => true,
        (error: unknown) => {
          why = error;
          return false;
        },
      );
    }).catch((error: unknown) => {
      throw new Error(`${error}; the client: ${why}; the server: ${this.#said()}`);
    });
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exit = once(this.#child, 'exit');
      this.#child.kill('SIGTERM');
      await within(`${this.command[0]} to end`, exit, 5000).catch(() => this.#child.kill('SIGKILL'));
    }
    this.folder.remove();
  }
}

/** Runs a client to its end: it must be content, and have said this. */
export async function satisfied(command: readonly string[], said: RegExp, cwd = '/'): Promise<string> {
  const [program = '', ...args] = command;
  const env = cleanEnvironment({ LC_ALL: 'C.UTF-8', PATH: `${process.env.PATH}:/usr/sbin:/sbin` });
  const { status, stdout, stderr } = await runProgram(program, args, { cwd, env });
  const output = `${stdout}${stderr}`;
  expect({ status, output }).toEqual({ status: 0, output: expect.stringMatching(said) });
  return output;
}

/**
 * A container engine of its own, with a network of its own: images are made of files of this machine. Containers of the image that is
 * always there see the programs of this machine, too. Nothing is fetched.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeRoot, type Root } from './image-root.js';
import { cleanEnvironment, collect, dyingWithUs, type Finished, runProgram, stopProcess } from './process.js';
import { quickFolder, type TempFolder } from './temp.js';
import { eventually } from './wait.js';

/** For any engine. */
export const clientTools = ['/usr/bin/docker', '/bin/busybox', 'umount'] as const;
export const dockerTools = ['dockerd', ...clientTools] as const;

/** Builds with what dockerd itself brings; newer ones want a plug-in for that. */
const DOCKER = '/usr/bin/docker';

/** Far more than what the tests make. */
const IMAGES_BYTES = 4 * 1024 ** 3;

const IMAGE = 'here';
/** Of containers that nobody else is to reach. */
export const NETWORK = 'apart';

export interface ContainerOptions {
  readonly labels?: Readonly<Record<string, string>>;
  /** Last number of its address; otherwise the engine chooses. */
  readonly number?: number;
}

/** What runs containers: dockerd, or another program that speaks its API. */
export interface EngineProgram {
  readonly name: string;
  readonly tools: readonly string[];
  /** `folder`: for all that it keeps. `pool`: for networks that nobody gives addresses. */
  start(folder: string, socketPath: string, pool: string): EngineCommand;
  /** Options of the containers' network. */
  readonly networkOptions: readonly string[];
  /** What it may leave mounted in its folder, where containers may live on without it. */
  readonly mounted: string;
}

export interface EngineCommand {
  readonly command: readonly string[];
  readonly environment?: NodeJS.ProcessEnv;
}

export const dockerd: EngineProgram = {
  name: 'dockerd',
  tools: dockerTools,
  start(folder, socketPath, pool) {
    const at = (name: string) => join(folder, name);
    const command = [
      'dockerd',
      ...['--host', `unix://${socketPath}`, '--pidfile', at('pid')],
      ...['--data-root', at('data'), '--exec-root', at('exec'), '--storage-driver', 'overlay2'],
      ...['--bridge', 'none', '--iptables=false', '--ip6tables=false', '--ip-forward=false'],
      ...['--default-address-pool', `base=${pool},size=26`],
      '--live-restore',
    ];
    return { command };
  },
  networkOptions: ['--opt', 'com.docker.network.bridge.enable_ip_masquerade=false'],
  mounted: 'data',
};

export class Docker {
  /** Addresses of the containers' network, of those for tests of devices (RFC 2544). */
  readonly #subnet = `198.18.${randomInt(256)}`;
  /** Of networks that nobody gives addresses. */
  readonly #pool = `198.19.${randomInt(256)}.0/24`;
  readonly #folder: TempFolder = quickFolder(IMAGES_BYTES);
  readonly #program: EngineProgram;
  #engine: ChildProcess | null = null;

  private constructor(program: EngineProgram) {
    this.#program = program;
  }

  get socketPath(): string {
    return join(this.#folder.path, 'docker.sock');
  }

  addressOf(number: number): string {
    return `${this.#subnet}.${number}`;
  }

  static async start(program: EngineProgram = dockerd): Promise<Docker> {
    const docker = new Docker(program);
    try {
      await docker.up();
      await docker.makeImage(IMAGE, {});
      await docker.run(
        ...['network', 'create', '--subnet', `${docker.#subnet}.0/24`, ...program.networkOptions, NETWORK],
      );
      return docker;
    } catch (error) {
      await docker.remove();
      throw error;
    }
  }

  /** Containers that ran before run on. */
  async up(): Promise<void> {
    const { command, environment } = this.#program.start(this.#folder.path, this.socketPath, this.#pool);
    const [program = '', ...args] = dyingWithUs(command);
    const env = cleanEnvironment(environment);
    const child = spawn(program, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
    this.#engine = child;
    const log = collect(child.stderr);
    await eventually(`${this.#program.name} to answer`, async () => {
      if (child.exitCode !== null)
        throw new Error(`${this.#program.name} ended with ${child.exitCode}: ${log()}`);
      return (await this.#docker('version')).status === 0;
    });
  }

  /** Containers run on. */
  async down(): Promise<void> {
    if (this.#engine !== null) await stopProcess(this.#engine);
    this.#engine = null;
  }

  async remove(): Promise<void> {
    if (this.#engine === null) await this.up();
    const { stdout } = await this.#docker('ps', '--all', '--quiet');
    const containers = stdout.split('\n').filter((id) => id !== '');
    if (containers.length > 0) await this.#docker('rm', '--force', ...containers);
    await this.#docker('network', 'rm', NETWORK);
    await this.down();
    await runProgram('umount', ['--recursive', join(this.#folder.path, this.#program.mounted)]);
    this.#folder.remove();
  }

  /** Creates a container of busybox, which finds the programs of this machine, too. */
  async create(name: string, options: ContainerOptions, ...command: readonly string[]): Promise<void> {
    const { labels = {}, number } = options;
    await this.run(
      ...['create', '--name', name, '--network', NETWORK],
      ...(number === undefined ? [] : ['--ip', this.addressOf(number)]),
      ...Object.entries(labels).flatMap(([key, value]) => ['--label', `${key}=${value}`]),
      ...['/usr', '/lib', '/lib64', '/etc'].flatMap((folder) => ['--volume', `${folder}:${folder}:ro`]),
      ...[IMAGE, ...command],
    );
  }

  async start(...names: readonly string[]): Promise<void> {
    await this.run('start', ...names);
  }

  /** An image of these files and busybox; `changes`: instructions as a Dockerfile has them. */
  async makeImage(tag: string, root: Root, ...changes: readonly string[]): Promise<void> {
    const tar = await makeRoot(join(this.#folder.path, 'roots', encodeURIComponent(tag)), root);
    await this.run('import', ...changes.flatMap((change) => ['--change', change]), tar, tag);
    rmSync(tar);
  }

  /** As `docker` with these arguments, and what it prints; fails if it does. */
  async run(...args: readonly string[]): Promise<string> {
    const { status, stdout, stderr } = await this.#docker(...args);
    if (status !== 0) throw new Error(`docker ${args.join(' ')}: ${stderr}`);
    return stdout;
  }

  /** Fails with its last lines if a container runs no more. */
  async expectRunning(name: string): Promise<void> {
    if ((await this.run('inspect', '--format', '{{.State.Running}}', name)).trim() === 'true') return;
    const { stdout, stderr } = await this.#docker('logs', '--tail', '10', name);
    throw new Error(`${name} has ended: ${stdout}${stderr}`);
  }

  /** Environment of programs that ask this engine. */
  get environment(): NodeJS.ProcessEnv {
    return { DOCKER_HOST: `unix://${this.socketPath}`, DOCKER_BUILDKIT: '1' };
  }

  #docker(...args: readonly string[]): Promise<Finished> {
    return runProgram(DOCKER, args, { env: cleanEnvironment(this.environment) });
  }
}

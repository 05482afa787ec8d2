/**
 * dockerd of its own, with a network of its own: images are made of a static busybox, containers see the programs of
 * this machine. Nothing is fetched.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { cleanEnvironment, collect, dyingWithUs, runProgram, stopProcess } from './process.js';
import { type TempFolder, tempFolder } from './temp.js';
import { eventually } from './wait.js';

const BUSYBOX = '/bin/busybox';
export const dockerTools = ['dockerd', 'docker', BUSYBOX, 'umount'] as const;

const IMAGE = 'here';
const NETWORK = 'apart';

export interface ContainerOptions {
  readonly labels?: Readonly<Record<string, string>>;
  /** Last number of its address; otherwise the engine chooses. */
  readonly number?: number;
}

export class Docker {
  /** Addresses of the containers' network, of those for tests of devices (RFC 2544). */
  readonly #subnet = `198.${18 + randomInt(2)}.${randomInt(256)}`;
  readonly #folder: TempFolder = tempFolder();
  #engine: ChildProcess | null = null;

  get socketPath(): string {
    return join(this.#folder.path, 'docker.sock');
  }

  addressOf(number: number): string {
    return `${this.#subnet}.${number}`;
  }

  static async start(): Promise<Docker> {
    const docker = new Docker();
    try {
      await docker.up();
      await docker.#makeImage();
      await docker.run(
        ...['network', 'create', '--subnet', `${docker.#subnet}.0/24`],
        ...['--opt', 'com.docker.network.bridge.enable_ip_masquerade=false', NETWORK],
      );
      return docker;
    } catch (error) {
      await docker.remove();
      throw error;
    }
  }

  /** Containers that ran before run on. */
  async up(): Promise<void> {
    const at = (name: string) => join(this.#folder.path, name);
    const [program = '', ...args] = dyingWithUs([
      'dockerd',
      ...['--host', `unix://${this.socketPath}`, '--pidfile', at('pid')],
      ...['--data-root', at('data'), '--exec-root', at('exec'), '--storage-driver', 'overlay2'],
      ...['--bridge', 'none', '--iptables=false', '--ip6tables=false', '--ip-forward=false'],
      '--live-restore',
    ]);
    const child = spawn(program, args, { env: cleanEnvironment(), stdio: ['ignore', 'ignore', 'pipe'] });
    this.#engine = child;
    const log = collect(child.stderr);
    await eventually('dockerd to answer', async () => {
      if (child.exitCode !== null) throw new Error(`dockerd ended with ${child.exitCode}: ${log()}`);
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
    // Where containers may live on without it, it leaves its folder mounted.
    await runProgram('umount', ['--recursive', join(this.#folder.path, 'data')]);
    this.#folder.remove();
  }

  /** Creates a container of busybox, which finds the programs of this machine, too. */
  create(name: string, options: ContainerOptions, ...command: readonly string[]): Promise<void> {
    const { labels = {}, number } = options;
    return this.run(
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

  /** As `docker` with these arguments; fails if it does. */
  async run(...args: readonly string[]): Promise<void> {
    const { status, stderr } = await this.#docker(...args);
    if (status !== 0) throw new Error(`docker ${args.join(' ')}: ${stderr}`);
  }

  #docker(...args: readonly string[]) {
    return runProgram('docker', ['--host', `unix://${this.socketPath}`, ...args]);
  }

  async #makeImage(): Promise<void> {
    const root = join(this.#folder.path, 'root');
    mkdirSync(join(root, 'bin'), { recursive: true });
    copyFileSync(BUSYBOX, join(root, BUSYBOX));
    const tar = join(this.#folder.path, 'root.tar');
    const { status, stderr } = await runProgram('tar', ['-C', root, '-cf', tar, '.']);
    if (status !== 0) throw new Error(`tar: ${stderr}`);
    await this.run('import', tar, IMAGE);
  }
}

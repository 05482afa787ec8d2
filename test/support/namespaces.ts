/**
 * Network namespaces for programs with addresses of their own: each is linked with the namespace of the tests, and is
 * gone with its holder, also when the tests are killed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { runProgram, stopProcess } from './process.js';
import { within } from './wait.js';

export const namespaceTools = ['ip', 'unshare', 'nsenter'] as const;

/** Ends with its standard input. */
const HOLD = 'ip link set lo up && echo ready && exec cat';

/** Two ends of a link. */
export interface Link {
  readonly ours: string;
  readonly theirs: string;
  /** Further addresses of each end, in the same network. */
  readonly alsoOurs: readonly string[];
  readonly alsoTheirs: readonly string[];
}

export class Namespace {
  private constructor(
    private readonly holder: ChildProcess,
    /** Of IPv4 and IPv6. */
    readonly v4: Link,
    readonly v6: Link,
  ) {}

  static async create(): Promise<Namespace> {
    const holder = spawn('unshare', ['-n', 'sh', '-c', HOLD], { stdio: ['pipe', 'pipe', 'ignore'] });
    await within('a network namespace', once(holder.stdout, 'data'));
    return new Namespace(holder, ...(await linked(holder.pid ?? 0)));
  }

  /** A command that runs in it. */
  wrap(...command: readonly string[]): [string, ...string[]] {
    return ['nsenter', `--net=/proc/${this.holder.pid}/ns/net`, '--', ...command];
  }

  async run(...command: readonly string[]): Promise<string> {
    return mustRun(this.wrap(...command));
  }

  /** A link with another one: the addresses of this side, and of that. */
  async join(other: Namespace): Promise<Link> {
    const { pid } = other.holder;
    return (await linked(pid ?? 0, (command) => this.wrap(...command)))[0];
  }

  async remove(): Promise<void> {
    await stopProcess(this.holder, 'SIGKILL');
  }
}

/** Numbers in a network. */
const OURS = 1;
const THEIRS = 2;
const ALSO_OURS = [3, 4];
const ALSO_THEIRS = [5, 6];

type Wrap = (command: readonly string[]) => readonly string[];

/** A pair of devices: one end where `wrap` runs its commands, the other in the namespace of `pid`. */
async function linked(pid: number, wrap: Wrap = (command) => command): Promise<[Link, Link]> {
  // Of the networks for tests of devices (RFC 2544), and as many of the local ones (RFC 4193).
  const number = randomInt(1 << 14);
  const [high, low] = [18 + (number >> 13), number & 0x1fff];
  const four = (host: number) => `198.${high}.${low >> 5}.${((low & 0x1f) << 3) + host}`;
  const six = (host: number) => `fd00:2544:${number.toString(16)}::${host}`;
  const device = `any${number}`;
  const there: Wrap = (command) => ['nsenter', `--net=/proc/${pid}/ns/net`, '--', ...command];
  const ip = (where: Wrap, ...words: string[]) => mustRun(where(['ip', ...words]));
  await ip(wrap, 'link', 'add', device, 'type', 'veth', 'peer', 'name', device, 'netns', `${pid}`);
  for (const [where, hosts] of [
    [wrap, [OURS, ...ALSO_OURS]],
    [there, [THEIRS, ...ALSO_THEIRS]],
  ] as const) {
    for (const host of hosts) {
      await ip(where, 'address', 'add', `${four(host)}/29`, 'dev', device);
      await ip(where, 'address', 'add', `${six(host)}/64`, 'dev', device, 'nodad');
    }
    await ip(where, 'link', 'set', device, 'up');
  }
  const link = (address: (host: number) => string): Link => ({
    ours: address(OURS),
    theirs: address(THEIRS),
    alsoOurs: ALSO_OURS.map(address),
    alsoTheirs: ALSO_THEIRS.map(address),
  });
  return [link(four), link(six)];
}

/** Returns what it has said. */
async function mustRun([program = '', ...args]: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await runProgram(program, args);
  if (status !== 0) throw new Error(`${[program, ...args].join(' ')} ended with ${status}: ${stderr}`);
  return stdout;
}

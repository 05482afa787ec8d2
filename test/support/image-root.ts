/** Root folders of images, made of files of this machine: programs with the libraries that they load, and busybox. */
import { cpSync, existsSync, mkdirSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runProgram } from './process.js';

const BUSYBOX = '/bin/busybox';

export interface Root {
  /** Absolute paths. */
  readonly programs?: readonly string[];
  /** Path in the image → file or folder that is copied there. */
  readonly files?: Readonly<Record<string, string>>;
  readonly folders?: readonly string[];
}

/** Returns an archive of it. */
export async function makeRoot(
  folder: string,
  { programs = [], files = {}, folders = [] }: Root,
): Promise<string> {
  const libraries = (await Promise.all(programs.map(librariesOf))).flat();
  for (const path of new Set([BUSYBOX, ...programs, ...libraries])) put(folder, path, path);
  for (const [path, from] of Object.entries(files)) put(folder, path, from);
  for (const path of folders) mkdirSync(join(folder, path), { recursive: true });
  await busyboxLinks(folder);
  const tar = `${folder}.tar`;
  await succeed('tar', '-C', folder, '-cf', tar, '.');
  rmSync(folder, { recursive: true });
  return tar;
}

function put(folder: string, path: string, from: string): void {
  const to = join(folder, path);
  mkdirSync(dirname(to), { recursive: true });
  cpSync(realpathSync(from), to, { recursive: true });
}

/** Lines such as `libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x…)` and `/lib64/ld-linux-x86-64.so.2 (0x…)`. */
async function librariesOf(program: string): Promise<string[]> {
  const { stdout } = await runProgram('ldd', [program]);
  return stdout.split('\n').flatMap((line) => /(\/\S+) \(0x/.exec(line)?.[1] ?? []);
}

/** `sh` and all that busybox is under other names, where the image has nothing else of that name. */
async function busyboxLinks(folder: string): Promise<void> {
  for (const name of (await succeed(BUSYBOX, '--list')).trim().split('\n')) {
    const link = join(folder, 'bin', name);
    if (!existsSync(link)) symlinkSync(BUSYBOX, link);
  }
}

async function succeed(command: string, ...args: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await runProgram(command, args);
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
  return stdout;
}

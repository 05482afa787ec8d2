/** The images that the Dockerfile builds on, of this machine's Node.js and of the program as it is built here. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Docker } from '../support/docker.js';

/** As the Dockerfile's ARG has it. */
const NODE_IMAGE = 'node:20-bookworm-slim';

/** Builds the image by the Dockerfile, without its first stage: what that would make comes from this checkout. */
export async function buildImage(docker: Docker, tag: string): Promise<void> {
  await docker.makeImage(NODE_IMAGE, { programs: [process.execPath], folders: ['/tmp'] });
  await docker.makeImage('built', { files: programFiles() });
  await docker.run('build', '--network', 'none', '--build-arg', 'PROGRAM=built', '--tag', tag, '.');
}

/** What the Dockerfile's first stage leaves behind, by its path in the image. */
function programFiles(): Record<string, string> {
  const paths = [
    'bin',
    'dist',
    'package.json',
    'LICENSE',
    'build/Release/anyport.node',
    ...productionModules(),
  ];
  return Object.fromEntries(paths.map((path) => [`/opt/anyport/${path}`, resolve(path)]));
}

/** Folders that `npm ci --omit=dev` makes here. */
function productionModules(): string[] {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    packages: Record<
      string,
      { dev?: true; devOptional?: true; os?: string[]; cpu?: string[]; libc?: string[] }
    >;
  };
  return Object.entries(packages).flatMap(([path, { dev, devOptional, os = [], cpu = [], libc = [] }]) => {
    const isOther = [os, cpu, libc].some(
      (wanted, index) => wanted.length > 0 && !wanted.includes(HERE[index] ?? ''),
    );
    return path === '' || dev || devOptional || isOther ? [] : [path];
  });
}

const HERE = [process.platform, process.arch, 'glibc'];

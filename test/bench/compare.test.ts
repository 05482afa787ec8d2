/** `npm run bench:compare` measures the revision that it was told, and leaves nothing behind. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { collect } from '../support/process.js';
import { type TempFolder, tempFolder } from '../support/temp.js';
import { eventually } from '../support/wait.js';

let folder: TempFolder;
let root: string;
/** For worktrees: the script takes the system's folder of temporary files. */
let temporary: string;

/** A repository with the scripts of this one, whose build writes what it was made of and whose benchmark tells it. */
const files: Record<string, string> = {
  'package.json': JSON.stringify({ scripts: { build: 'node build.mjs' } }),
  'package-lock.json': '{}',
  'build.mjs': `import { copyFileSync } from 'node:fs';
    copyFileSync('version', 'built');`,
  'scripts/bench.mjs': `import { readFileSync } from 'node:fs';
    const [, beside] = process.argv.slice(2);
    console.log('beside', readFileSync(beside + '/built', 'utf8'), ...process.argv.slice(4));
    process.exitCode = 3;`,
  'node_modules/typescript/bin/tsc': '',
  'build-bench/package.json': '{ "type": "module" }',
  'build-bench/bench/system/workloads.js': "export const workloads = () => [{ name: 'conn' }];",
  'build-bench/bench/system/contenders/index.js':
    "export const contenderNames = () => ['anyport', 'beside'];",
};

function write(path: string, text: string): void {
  mkdirSync(dirname(`${root}/${path}`), { recursive: true });
  writeFileSync(`${root}/${path}`, text);
}

const git = (...args: string[]) =>
  spawnSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.com', ...args], {
    cwd: root,
    encoding: 'utf8',
  }).stdout;

function commit(version: string): void {
  write('version', version);
  git('add', '-A');
  git('commit', '-qm', version);
}

const start = (...args: string[]) =>
  spawn(process.execPath, ['scripts/bench-compare.mjs', ...args], {
    cwd: root,
    env: { ...process.env, TMPDIR: temporary },
    stdio: ['ignore', 'pipe', 'pipe'],
  });

async function compare(...args: string[]) {
  const child = start(...args);
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  await once(child, 'close');
  return { status: child.exitCode, stdout: stdout(), stderr: stderr() };
}

const leavesNothing = () => {
  expect(spawnSync('ls', ['-A', temporary], { encoding: 'utf8' }).stdout).toBe('');
  expect(git('worktree', 'list').trim().split('\n')).toHaveLength(1);
};

beforeAll(() => {
  folder = tempFolder();
  root = `${folder.path}/repository`;
  temporary = `${folder.path}/temporary`;
  mkdirSync(temporary);
  for (const [path, text] of Object.entries(files)) write(path, text);
  cpSync('scripts/lib', `${root}/scripts/lib`, { recursive: true });
  cpSync('scripts/bench-compare.mjs', `${root}/scripts/bench-compare.mjs`);
  cpSync('bench/benches.json', `${root}/bench/benches.json`);
  write('.gitignore', 'node_modules\n');
  git('init', '-q');
  commit('first');
  commit('second');
});

afterAll(() => folder.remove());

test('the revision is built and measured beside this tree, with its status', async () => {
  const { status, stdout, stderr } = await compare('HEAD~1', '--only', 'conn');
  expect(stderr).toBe('');
  expect(stdout).toContain('beside first --only conn --rounds 10 --against anyport,beside');
  expect(status).toBe(3);
  leavesNothing();
});

test('one that can not be built', async () => {
  write('build.mjs', 'process.exit(1)');
  commit('broken');
  const { status, stderr } = await compare('HEAD');
  expect(stderr).toContain('bench:compare: HEAD can not be built here');
  expect(status).toBe(1);
  leavesNothing();
});

test.each(['SIGINT', 'SIGTERM'] as const)('%s ends what runs, and removes the worktree', async (signal) => {
  // It writes to the worktree for as long as it lives.
  const writer = 'while mkdir -p busy; do touch busy/$((i += 1)); echo > started; done';
  write(
    'build.mjs',
    `(await import('node:child_process')).spawnSync('sh', ['-c', ${JSON.stringify(writer)}])`,
  );
  commit(`slow ${signal}`);
  const child = start('HEAD');
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  const built = () => / is built in (.+)$/m.exec(stdout())?.[1] ?? '';
  await eventually('the build to run', () => existsSync(`${built()}/started`));
  child.kill(signal);
  await once(child, 'close');
  expect(stderr()).toContain(`bench:compare: ended by ${signal}; ${built()} is removed`);
  expect(child.exitCode).toBe(signal === 'SIGINT' ? 130 : 143);
  leavesNothing();
});

describe('refused in one line, before anything is built', () => {
  test.each([
    { args: ['nothing'], wrong: 'nothing: no revision here; give a commit, branch or tag' },
    { args: ['HEAD', '--only', 'pong'], wrong: '--only pong: there is micro,' },
    { args: ['HEAD', '--rounds', 'many'], wrong: '--rounds many: give a whole number, 1 or more' },
    { args: ['HEAD', '--beside', '.'], wrong: '--beside: it is HEAD that is measured beside' },
    { args: ['HEAD', '--only', 'kcp'], wrong: '--only kcp: it measures no other build' },
    { args: ['--quick'], wrong: 'which revision?' },
  ])('$args', async ({ args, wrong }) => {
    const { status, stdout, stderr } = await compare(...args);
    expect(stderr).toContain(`bench:compare: ${wrong}`);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  });
});

/**
 * `npm run bench:compare REV`: this tree beside another revision of it, which is built in a worktree in the system's
 * folder of temporary files and measured in turn with this one. The worktree is removed at the end, whatever ends it.
 */
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { requestOf, wrongNames } from './lib/bench-request.mjs';
import { Interrupted, interruptible } from './lib/interruptible.mjs';
import { read, run as runHere } from './lib/run.mjs';

const BAD_USAGE = 2;
/** Enough for a confidence interval that is narrower than the lowest and the highest. */
const ROUNDS = 10;

const usage = [
  'npm run bench:compare REV [-- options]',
  '',
  'REV      a commit, branch or tag, which is built and measured in turn with this tree',
  'options  those of `npm run bench` with --beside: --only NAME, --rounds N, --workers N, --quick, …',
  '         --against anyport,beside,HAProxy measures HAProxy too',
  '',
].join('\n');

/** `{ help }`, `{ wrong }`, or `{ rev, commit, request, args }` with the arguments of `npm run bench`. */
function orderOf([rev, ...options]) {
  if ([rev, ...options].some((argument) => argument === '-h' || argument === '--help'))
    return { help: usage };
  if (rev === undefined || rev.startsWith('-')) return { wrong: `which revision?\n${usage}` };
  if (read('git', ['rev-parse', '--is-inside-work-tree']) === '')
    return { wrong: 'this folder is no git checkout, so there is no other revision of it' };
  const commit = read('git', ['rev-parse', '--verify', '--quiet', '--end-of-options', `${rev}^{commit}`]);
  if (commit === '')
    return { wrong: `${rev}: no revision here; give a commit, branch or tag (git log, git tag)` };
  if (options.some((option) => option.split('=')[0] === '--beside'))
    return { wrong: `--beside: it is ${rev} that is measured beside` };
  const request = requestOf(options);
  if (request.wrong) return request;
  if (!['system', 'udp'].includes(request.name))
    return { wrong: `--only ${request.name}: it measures no other build` };
  return { rev, commit, request, args: [...options, ...defaults(request)] };
}

function defaults({ name, values }) {
  const rounds = values.rounds || values.quick ? [] : ['--rounds', `${ROUNDS}`];
  return name === 'system' && !values.against ? [...rounds, '--against', 'anyport,beside'] : rounds;
}

/** A built checkout of the commit in an empty folder; false: it can not be built. */
async function build(run, commit, folder) {
  if ((await run('git', ['worktree', 'add', '--quiet', '--detach', folder, commit])) !== 0) return false;
  const options = { cwd: folder, env: { JOBS: 'max', ...process.env } };
  if (hasSamePackages(folder)) symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
  else if ((await run('npm', ['ci', '--ignore-scripts', '--silent'], options)) !== 0) return false;
  return (await run('npm', ['run', '--silent', 'build'], options)) === 0;
}

const hasSamePackages = (folder) =>
  readFileSync('package-lock.json').equals(readFileSync(join(folder, 'package-lock.json')));

function remove(parent, folder) {
  read('git', ['worktree', 'remove', '--force', folder]);
  rmSync(parent, { recursive: true, force: true, maxRetries: 5 });
  read('git', ['worktree', 'prune']);
}

async function compare({ rev, commit, args }) {
  const parent = mkdtempSync(join(tmpdir(), 'anyport-compare-'));
  const folder = join(parent, 'anyport');
  const run = interruptible();
  try {
    console.log(`bench:compare: ${rev} (${commit.slice(0, 8)}) is built in ${folder}`);
    if (!(await build(run, commit, folder))) {
      console.error(`bench:compare: ${rev} can not be built here`);
      return 1;
    }
    return await run(process.execPath, ['scripts/bench.mjs', '--beside', folder, ...args]);
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    console.error(`bench:compare: ${error.message}; ${folder} is removed`);
    return error.exitCode;
  } finally {
    remove(parent, folder);
  }
}

/** Names of workloads are known to the compiled benchmarks only; the long build of the other revision comes later. */
async function wrongNameOf(request) {
  const compiler = ['node_modules/typescript/bin/tsc', '-p', 'bench/tsconfig.json'];
  if (runHere(process.execPath, compiler) !== 0) return 'the benchmarks of this tree do not compile';
  return wrongNames(request, resolve('build-bench/bench'));
}

async function main() {
  const order = orderOf(process.argv.slice(2));
  if (order.help) {
    console.log(order.help);
    return 0;
  }
  const wrong = order.wrong ?? (await wrongNameOf(order.request));
  if (wrong === null) return compare(order);
  console.error(`bench:compare: ${wrong}`);
  return BAD_USAGE;
}

process.exitCode = await main();

/**
 * `npm run test:native`: C++ under AddressSanitizer and UndefinedBehaviorSanitizer. First the unit tests (those with
 * threads also under ThreadSanitizer), then a minute of each fuzzer, less of those of parts (ANYPORT_FUZZ_SECONDS overrides it), then the
 * test files that drive the addon or the daemon, on a sanitized build of the same sources. `ANYPORT_SOAK=1`: a million
 * inputs of each fuzzer, however long they take, and the soaks among the files at full length.
 */
import { mkdirSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { writeFuzzInputs } from './lib/fuzz-inputs.mjs';
import { installCommand, provide } from './lib/machine.mjs';
import { reachesNative } from './lib/native-reach.mjs';
import { read, run, runAll } from './lib/run.mjs';
import { runVitest, summarize } from './lib/vitest.mjs';

const cores = `${availableParallelism()}`;
const folder = resolve('build-cmake');
const fuzzFolder = resolve('build-fuzz');
const racesFolder = resolve('build-races');
/** Of each fuzzer; null: as many as there is time for. */
const runs = process.env.ANYPORT_SOAK === '1' ? 1_000_000 : null;
const seconds = Number(process.env.ANYPORT_FUZZ_SECONDS ?? 60);
/** Of these, what `link_fuzz` goes through as a whole: the share of the time that they have. */
const parts = new Set(['arq_fuzz', 'mux_fuzz', 'seal_fuzz']);
const PART = 1 / 3;
const tools = {
  cmake: 'cmake',
  make: 'make',
  'g++': 'g++',
  '/usr/include/gtest/gtest.h': 'libgtest-dev',
  '/usr/include/openssl/evp.h': 'libssl-dev',
  'clang++-14': 'clang-14',
  '/usr/share/doc/libclang-rt-14-dev': 'libclang-rt-14-dev',
};
/** Parts of paths. Excludes transfers and crowds: sanitizers find nothing more in a second gigabyte. */
const listed = [
  'test/protocols',
  'test/worker',
  'test/plane',
  'test/metrics',
  'test/primary',
  'test/security',
  'test/e2e/relay',
  'test/e2e/dial-options',
  'test/e2e/addresses',
  'test/e2e/max-connections',
  'test/e2e/admission/caps',
  'test/e2e/pool',
  'test/e2e/queue',
  'test/e2e/proxy-out',
  'test/e2e/postgres-tls',
  'test/e2e/via/tls',
  'test/e2e/timeouts',
  'test/e2e/bandwidth/order',
  'test/e2e/closing',
  'test/e2e/silence',
  'test/e2e/at-accept',
  'test/e2e/tarpit',
  'test/e2e/slow-loris',
  'test/e2e/garbage',
  'test/e2e/limits',
  'test/e2e/udp/identify',
  'test/e2e/udp/oracle',
  'test/e2e/udp/handlers',
  'test/e2e/workers',
  'test/library/kcp.test',
  'test/library/kcp-exit',
  'test/library/kcp-settings',
  'test/e2e/lifecycle',
  'test/soak/mutants',
  'test/soak/mixed',
];

function build() {
  const args = ['cmake-js', 'compile', '--log-level', 'warn', '--out', folder, '--config', 'RelWithDebInfo'];
  return run('npx', [...args, '--parallel', cores, '--CDANYPORT_SANITIZE=ON']);
}

async function runBinaries() {
  const binaries = readdirSync(join(folder, 'tests')).filter((name) => name.endsWith('_test'));
  const failed = await runAll(
    binaries.map((name) => ({ name, command: join(folder, 'tests', name), args: ['--gtest_brief=1'] })),
  );
  for (const name of failed) console.log(`failed: ${name}`);
  return { passed: binaries.length - failed.length, failed: failed.length };
}

function buildApart(into, ...options) {
  const configured = run('cmake', ['-S', '.', '-B', into, ...options]) === 0;
  return configured && run('cmake', ['--build', into, '--parallel', cores]) === 0;
}

function runRaces() {
  const passed =
    buildApart(racesFolder, '-DANYPORT_RACES=ON') &&
    [
      'inbox_test',
      'room_test',
      'books_test',
      'buckets_test',
      'connection_ids_test',
      'sources_test',
      'identifying_test',
      'waiting_test',
      'wire_ids_test',
      'tls_threads_test',
    ].every((name) => run(join(racesFolder, name), ['--gtest_brief=1']) === 0);
  return { passed: Number(passed), failed: Number(!passed) };
}

/** New inputs are kept in the corpus of each; failing ones in the folder. */
function fuzzerOf(name, { tables, corpora }) {
  const found = join(fuzzFolder, 'found', name);
  mkdirSync(found, { recursive: true });
  const share = parts.has(name) ? PART : 1;
  const end = runs === null ? `-max_total_time=${Math.ceil(seconds * share)}` : `-runs=${runs}`;
  // An input that takes a minute is a finding, too.
  const args = [end, '-timeout=60', '-max_len=4096', '-verbosity=0', '-print_final_stats=1'];
  return {
    name,
    command: join(fuzzFolder, name),
    args: [...args, found, ...(corpora[name] ?? [])],
    options: { cwd: fuzzFolder, env: { ...process.env, ANYPORT_FUZZ_TABLES: tables } },
  };
}

async function runFuzzers() {
  if (!buildApart(fuzzFolder, '-DANYPORT_FUZZ=ON', '-DCMAKE_CXX_COMPILER=clang++-14'))
    return { passed: 0, failed: 1 };
  const inputs = await writeFuzzInputs(fuzzFolder);
  const fuzzers = readdirSync(fuzzFolder).filter((name) => name.endsWith('_fuzz'));
  const failed = await runAll(fuzzers.map((name) => fuzzerOf(name, inputs)));
  for (const name of failed) console.log(`failed: ${name}`);
  return { passed: fuzzers.length - failed.length, failed: failed.length };
}

/** Those that are listed, without the ones that by their imports never reach native code: `npm test` has run them. */
function addonTests() {
  const all = readdirSync('test', { recursive: true }).map((name) => join('test', name));
  const tests = all.filter((path) => path.endsWith('.test.ts'));
  const stale = listed.filter((part) => !tests.some((path) => path.includes(part)));
  if (stale.length > 0) throw new Error(`no test file is called ${stale.join(' or ')}`);
  const files = tests.filter((path) => listed.some((part) => path.includes(part)));
  const reaching = files.filter(reachesNative);
  const others = files.filter((path) => !reaching.includes(path));
  console.log(
    `of ${files.length} test files ${others.length} reach no native code: ${others.toSorted().join(' ')}`,
  );
  return reaching;
}

function runAddonTests() {
  return runVitest(addonTests(), {
    ANYPORT_ADDON: join(folder, 'Release', 'anyport.node'),
    LD_PRELOAD: read('g++', ['-print-file-name=libasan.so']),
    // V8 and the JavaScript heap are reported as leaks, so leak detection is off. The first error ends the process
    // and fails its test.
    ASAN_OPTIONS: 'detect_leaks=0:abort_on_error=1',
    UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1',
  });
}

async function main() {
  const missing = provide(tools);
  if (missing.length > 0) {
    console.error(`this needs, as root: ${installCommand(missing)}`);
    return summarize({ passed: 0, failed: 1 });
  }
  const built = build() === 0 && run('npm', ['run', '--silent', 'build:ts']) === 0;
  if (!built) return summarize({ passed: 0, failed: 1 });
  const binaries = await runBinaries();
  const races = runRaces();
  const fuzzers = await runFuzzers();
  const addon = runAddonTests();
  const results = [binaries, races, fuzzers, addon];
  const sum = (key) => results.reduce((total, result) => total + result[key], 0);
  return summarize({ passed: sum('passed'), failed: sum('failed') });
}

process.exitCode = await main();

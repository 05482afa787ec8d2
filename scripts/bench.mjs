/**
 * `npm run bench`: the classifier by itself, then the daemon under load; `--help` says what else there is. Nothing is
 * built for a request that is wrong.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { requestOf, wrongNames } from './lib/bench-request.mjs';
import { provide } from './lib/machine.mjs';
import { run } from './lib/run.mjs';

const NGINX_STREAM = '/usr/lib/nginx/modules/ngx_stream_module.so';

const BAD_USAGE = 2;

const args = process.argv.slice(2);

const compile = (...args) => run('g++', ['-std=c++20', '-Wall', '-Wextra', ...args]) === 0;

const buildLoad = (name) =>
  compile('-O2', '-Inative', '-o', `build-bench/load/${name}`, `bench/system/load/${name}.cc`);

/** Optimized as the addon is. */
function buildSources() {
  const judged = ['admission/source_table', 'admission/sources', 'net/address'].map(
    (name) => `native/${name}.cc`,
  );
  return compile('-O3', '-Inative', '-o', 'build-bench/sources', 'bench/micro/sources.cc', ...judged);
}

/** With the machine's OpenSSL, where the addon has Node's. */
function buildSeals() {
  const sources = readFileSync('native/sources.txt', 'utf8').split('\n');
  const kcp = sources.filter((path) => /^native\/kcp\/.*\.cc$/.test(path));
  const headers = join(process.execPath, '../../include/node');
  const seals = ['-o', 'build-bench/seals', 'bench/micro/seals.cc', ...kcp];
  return compile('-O3', '-Inative', `-I${headers}`, ...seals, '-lcrypto');
}

const loads = [
  'endpoint',
  'client',
  'steady',
  'attacker',
  'udp_client',
  'udp_endpoint',
  'udp_relay',
  'udp_wire',
  'tunnel_client',
  'keeper',
  'refuser',
  'relay',
];

const buildTypescript = () =>
  run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'bench/tsconfig.json']) === 0;

function buildPrograms() {
  mkdirSync('build-bench/load', { recursive: true });
  return run('npm', ['run', '--silent', 'build']) === 0 && loads.every(buildLoad) && buildSources();
}

/** Runs a benchmark in a network namespace of its own, with a loopback interface and nothing else. */
function runApart(benchmark) {
  const inside = 'ip link set lo up && exec "$@"';
  const program = [process.execPath, benchmark, ...args];
  const asUser = process.getuid() === 0 ? [] : ['--map-root-user'];
  return run('unshare', ['--net', ...asUser, 'sh', '-c', inside, 'sh', ...program]);
}

function runUdp() {
  const missing = provide({ nginx: 'nginx', [NGINX_STREAM]: 'libnginx-mod-stream' });
  if (missing.length > 0)
    console.log(`without nginx to compare with: ${missing.join(' and ')} not installed`);
  return runApart('build-bench/bench/udp/udp.js');
}

function runKcp() {
  const missing = provide({ 'kcptun-client': 'kcptun', 'kcptun-server': 'kcptun' });
  if (missing.length === 0) return runApart('build-bench/bench/kcp/kcp.js');
  console.log(`there is nothing to compare with: ${missing.join(' and ')} not installed`);
  return 1;
}

function runConnect() {
  const missing = provide({ squid: 'squid' });
  if (missing.length === 0) return runApart('build-bench/bench/connect/connect.js');
  console.log(`there is nothing to compare with: ${missing.join(' and ')} not installed`);
  return 1;
}

function runMicro() {
  if (run(process.execPath, ['build-bench/bench/micro/micro.js']) !== 0) return 1;
  if (run('build-bench/sources', []) !== 0) return 1;
  return buildSeals() ? run('build-bench/seals', []) : 1;
}

/** Rival of the daemon under load → its programs and their packages. */
const rivals = {
  HAProxy: { haproxy: 'haproxy' },
  nginx: { nginx: 'nginx', [NGINX_STREAM]: 'libnginx-mod-stream' },
  sslh: { sslh: 'sslh' },
};

/** What is missing then is named where its figures would be. */
function provideRivals(against) {
  const wanted = Object.entries(rivals).filter(
    ([name]) => against === undefined || against.split(',').includes(name),
  );
  provide(Object.assign({}, ...wanted.map(([, tools]) => tools)));
}

function runSystem({ values }) {
  provideRivals(values.against);
  const isAll = values.only === undefined && values.beside === undefined;
  if (isAll && runMicro() !== 0) return 1;
  return run(process.execPath, ['build-bench/bench/system/system.js', ...args]);
}

function runAdversary() {
  const missing = provide(rivals.HAProxy);
  if (missing.length > 0) console.log('without HAProxy to compare with: it is not installed');
  return runApart('build-bench/bench/adversary/adversary.js');
}

function runBench(request) {
  const { name } = request;
  if (name === 'udp') return runUdp();
  if (name === 'kcp') return runKcp();
  if (name === 'connect') return runConnect();
  if (name === 'adversary') return runAdversary();
  return name === 'micro' ? runMicro() : runSystem(request);
}

function refuse(wrong) {
  console.error(`bench: ${wrong}`);
  return BAD_USAGE;
}

async function main() {
  const request = requestOf(args);
  if (request.help) {
    console.log(request.help);
    return 0;
  }
  if (request.wrong) return refuse(request.wrong);
  if (!buildTypescript()) return 1;
  const wrong = await wrongNames(request, resolve('build-bench/bench'));
  if (wrong !== null) return refuse(wrong);
  return buildPrograms() ? runBench(request) : 1;
}

process.exitCode = await main();

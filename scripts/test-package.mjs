/**
 * `npm run test:package`: the result of `npm pack` installs on a clean machine and serves, as a daemon and as a library.
 * Needs a compiler, and the registry for its dependencies.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { read, run } from './lib/run.mjs';

const folder = mkdtempSync(join(tmpdir(), 'anyport-package-'));
const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
const config = join(folder, 'anyport.yaml');

function install() {
  assert.equal(run('npm', ['pack', '--silent', '--pack-destination', folder]), 0, 'npm pack');
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  // Uses packages that `npm ci` has just cached.
  const options = ['--omit=dev', '--no-audit', '--no-fund', '--prefer-offline'];
  const tarball = join(folder, `anyport-${version}.tgz`);
  assert.equal(run('npm', ['install', ...options, tarball], { cwd: folder }), 0, 'npm install');
}

function checkCommands() {
  const anyport = (...args) => read('npx', ['--no-install', 'anyport', ...args], { cwd: folder });
  assert.equal(anyport('--version'), version);
  writeFileSync(
    config,
    'server: { listen: "127.0.0.1:0" }\nprotocols: [{ name: Any, handler: "builtin:echo", regex: ["^hello"] }]\n',
  );
  assert.match(anyport('check', '-c', config), /./);
  // Its load is built like the addon.
  assert.match(
    anyport('bench', '--workload', 'conn', '--connections', '2', '--duration', '250ms'),
    /^conn /m,
  );
}

/** Echoes one session, then stops on request. */
async function serve() {
  const program = join(folder, 'node_modules/.bin/anyport');
  const daemon = spawn(program, ['run', '-c', config, '--log-format', 'json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 60_000,
  });
  const exited = once(daemon, 'exit');
  try {
    const port = await portOf(daemon);
    const socket = connect(port, '127.0.0.1');
    socket.end('hello');
    assert.equal(String((await once(socket, 'data'))[0]), 'hello');
  } finally {
    daemon.kill('SIGTERM');
  }
  assert.deepEqual(await exited, [0, null]);
}

/** The same as a library, by its name. */
function checkLibrary() {
  const program = `
    import { once } from 'node:events';
    import { connect } from 'node:net';
    import { createAnyport, identify } from 'anyport';
    const plex = createAnyport();
    await plex.addProtocol({ name: 'Any', regex: /^hello/, handler: (socket) => void socket.pipe(socket) });
    const [{ port }] = await plex.listen('127.0.0.1:0');
    const socket = connect(port, '127.0.0.1');
    socket.end('hello');
    const [echo] = await once(socket, 'data');
    console.log(String(echo), identify(Buffer.from('SSH-2.0-a\\r\\n')).protocol, await plex.close());`;
  const said = read(process.execPath, ['--input-type=module', '-e', program], { cwd: folder });
  assert.equal(said, 'hello ssh true');
}

async function portOf(daemon) {
  for await (const line of createInterface({ input: daemon.stdout })) {
    const { msg, listeners } = JSON.parse(line);
    if (msg === 'ready') return Number(listeners[0].address.split(':').at(-1));
  }
  throw new Error('the daemon ended before it was ready');
}

try {
  install();
  checkCommands();
  await serve();
  checkLibrary();
  console.log('the package installs and serves');
} finally {
  rmSync(folder, { recursive: true });
}

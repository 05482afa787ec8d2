/** Limits of the process that V8 does not survive: said before anything starts, and at a reload. */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { demandOf } from '../../src/budget/demand.js';
import { itemsOf, totalOf } from '../../src/budget/need.js';
import { dataNeeds, spaceNeeds } from '../../src/budget/process-limits.js';
import { configOf } from '../doctor/support.js';
import { launchDaemon, startDaemon } from '../support/daemon.js';
import { redisPing } from '../support/flights.js';
import { runProgram } from '../support/process.js';
import { dial, echo, listenTcp, type Upstream } from '../support/tcp.js';
import { tempFolder } from '../support/temp.js';
import { describeWith } from '../support/tools.js';

const KIB = 1024;
const MIB = KIB * KIB;

let upstream: Upstream;
beforeAll(async () => {
  upstream = await listenTcp(echo);
});
afterAll(() => upstream.close());

const server = { max_connections: 100 };
const config = (workers: number) => ({
  server: { ...server, workers },
  protocols: [{ name: 'Redis', target: upstream.target }],
});
const demand = demandOf(configOf({ server: { listen: ':9090', workers: 1, ...server } }));
const space = totalOf(itemsOf(spaceNeeds, demand));
const data = totalOf(itemsOf(dataNeeds, demand));

const limited = (...limits: readonly string[]) =>
  ({ asInstalled: true, wrapper: ['prlimit', ...limits] }) as const;

describeWith('prlimit')('a daemon', () => {
  test.each([
    { why: 'no room for Node', limit: `--as=${300 * MIB}`, shell: 'ulimit -v 307200' },
    { why: 'no room for a thread', limit: `--as=${1200 * MIB}`, shell: 'ulimit -v 1228800' },
    { why: 'no room for a heap', limit: `--data=${60 * MIB}`, shell: 'ulimit -d 61440' },
    { why: 'a stack that recursion overflows', limit: `--stack=${64 * KIB}`, shell: 'ulimit -s 64' },
  ])('$why: one line says the limit and the command', async ({ limit, shell }) => {
    const daemon = await launchDaemon(config(1), limited(limit));
    expect(await daemon.exit()).toBe(1);
    expect(daemon.stderr).toMatch(
      /^anyport: Node\.js does not run under ulimit [^\n]+: allow more, as [^\n]+\n$/,
    );
    expect(daemon.stderr).toContain(`under ${shell} (KiB)`);
  });

  test.each([
    { what: 'address space', limit: `--as=${space - MIB}`, shell: `ulimit -v ${Math.ceil(space / KIB)}` },
    { what: 'data', limit: `--data=${data - MIB}`, shell: `ulimit -d ${Math.ceil(data / KIB)}` },
  ])('too little $what for what it is to do: it says how much', async ({ what, limit, shell }) => {
    const daemon = await launchDaemon(config(1), limited(limit));
    expect(await daemon.exit()).toBe(1);
    const [line] = daemon.lines.filter(({ level }) => level === 'fatal');
    expect(line?.msg).toContain(`too little ${what}: `);
    expect(line?.msg).toContain(`; ${shell}  # `);
  });

  test('exactly enough: it serves, reads its file again, also with a handler, and refuses more workers', async () => {
    const daemon = await startDaemon(config(1), limited(`--as=${space}`, `--data=${data}`));
    const client = await dial(daemon.port);
    client.send(redisPing);
    await client.bytes(redisPing.length);
    expect((await daemon.reload(config(1))).msg).not.toMatch(/refused/);
    // Beside the thread that reads the file another one tries the module.
    writeFileSync(`${daemon.folder.path}/handler.mjs`, 'export default (socket) => socket.end();');
    const handled = { name: 'Marked', handler: './handler.mjs', start_bytes: ['aa'] };
    const more = { ...config(1), protocols: [...config(1).protocols, handled] };
    expect(await daemon.reload(more)).toMatchObject({ msg: 'reloaded' });
    const refused = await daemon.reload(config(4));
    expect(refused.msg).toMatch(/^reload refused/);
    expect(JSON.stringify(daemon.lines)).toMatch(/too little address space: .* are needed/);
    client.send(redisPing);
    await client.bytes(2 * redisPing.length);
    client.finish();
    await daemon.stop();
  });
});

describeWith('prlimit')('the trial of Node under limits', () => {
  const folder = tempFolder();
  afterAll(() => folder.remove());
  const mark = `${folder.path}/tried`;
  /** Another `timeout`, with which the trial leaves a mark. */
  const marking = `#!/bin/sh\ntouch ${mark}\nexec ${pathOf('timeout')} "$@"\n`;
  /** In which the trial has no time: `-s KILL 10` is what it is given otherwise. */
  const hurried = `#!/bin/sh\nshift 3\nexec ${pathOf('timeout')} -s KILL 0.001 "$@"\n`;

  /** Runs `anyport protocols` with these programs alone on PATH. */
  async function run(limits: readonly string[], programs: Readonly<Record<string, string | null>>) {
    const bin = tempFolder();
    for (const [name, script] of Object.entries({ readlink: null, touch: null, ...programs })) {
      const path = `${bin.path}/${name}`;
      if (script === null) symlinkSync(pathOf(name), path);
      else {
        writeFileSync(path, script);
        chmodSync(path, 0o755);
      }
    }
    const args = [...limits, resolve('bin/anyport'), 'protocols'];
    const ended = await runProgram(pathOf('prlimit'), args, { env: { PATH: bin.path } });
    bin.remove();
    return ended;
  }

  const small = [`--as=${3000 * MIB}`];

  test('without `node` that is what is said, with a limit and without', async () => {
    const says = { status: 127, stderr: expect.stringMatching(/^anyport: node is not found: [^\n]+\n$/) };
    expect(await run(small, { timeout: null })).toMatchObject(says);
    expect(await run([], { timeout: null })).toMatchObject(says);
  });

  test('without `timeout` there is none: the command runs', async () => {
    expect(await run(small, { node: null })).toMatchObject({ status: 0, stderr: '' });
  });

  test('a machine so busy that its time is over is no reason not to run, and is said', async () => {
    const { status, stderr } = await run(small, { node: null, timeout: hurried });
    expect(status).toBe(0);
    expect(stderr).toMatch(
      /^anyport: trying Node\.js under ulimit -v 3072000 \(KiB\) takes longer [^\n]+\n$/,
    );
  });

  test.each([
    { why: 'little address space', limits: small, isTried: true },
    {
      why: 'enough',
      limits: [`--as=${4096 * MIB}`, `--data=${512 * MIB}`, `--stack=${MIB}`],
      isTried: false,
    },
    { why: 'little data', limits: [`--data=${511 * MIB}`], isTried: true },
    { why: 'a small stack', limits: [`--stack=${MIB - 4096}`], isTried: true },
  ])('$why: it is made only where a limit is small', async ({ limits, isTried }) => {
    rmSync(mark, { force: true });
    expect(await run(limits, { node: null, timeout: marking })).toMatchObject({ status: 0, stderr: '' });
    expect(existsSync(mark)).toBe(isTried);
  });
});

/** Of a program on PATH. */
function pathOf(name: string): string {
  return execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim();
}

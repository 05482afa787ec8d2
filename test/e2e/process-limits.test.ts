/** Limits of the process that V8 does not survive: said before anything starts, and at a reload. */
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { demandOf } from '../../src/budget/demand.js';
import { itemsOf, totalOf } from '../../src/budget/need.js';
import { dataNeeds, spaceNeeds } from '../../src/budget/process-limits.js';
import { configOf } from '../doctor/support.js';
import { launchDaemon, startDaemon } from '../support/daemon.js';
import { redisPing } from '../support/flights.js';
import { dial, echo, listenTcp, type Upstream } from '../support/tcp.js';
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

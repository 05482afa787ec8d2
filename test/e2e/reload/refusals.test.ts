/** What can not come into force changes nothing, and every problem is said, each with its place. */
import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../../support/daemon.js';
import { redisPing } from '../../support/flights.js';
import { startPings } from '../../support/pings.js';
import { dial, echo, listenTcp, type Upstream } from '../../support/tcp.js';

let daemon: Daemon;
let upstream: Upstream;

beforeEach(async () => {
  upstream = await listenTcp(echo);
  daemon = await startDaemon(good());
});

afterEach(async () => {
  await daemon.stop();
  await upstream.close();
});

const good = () => ({ protocols: [{ name: 'Redis', target: upstream.target }] });

/** What was running goes on, and the refusals so far are counted. */
async function expectUnchanged(refused: number): Promise<void> {
  const client = (await dial(daemon.port)).send(redisPing);
  await client.bytes(redisPing.length);
  expect(await daemon.metric('anyport_config_generation')).toBe(1);
  expect(await daemon.metric('anyport_config_reloads_total', { result: 'refused' })).toBe(refused);
}

/** The lines behind the refusal: one a problem. */
const problemsAfter = (line: object) =>
  daemon.lines.slice(daemon.lines.indexOf(line as never) + 1).map(({ level, msg }) => `${level} ${msg}`);

test('every problem of a bad file, with file, line and column', async () => {
  const line = await daemon.reload(
    'server:\n  workers: many\nprotocols:\n  - { name: Redis, target: "host:99999" }\n',
  );
  expect(line).toMatchObject({
    level: 'error',
    msg: 'reload refused, the running configuration stays',
    cause: 'signal',
    problems: 2,
  });
  expect(problemsAfter(line)).toEqual([
    expect.stringMatching(/^error .*anyport\.yaml:2:\d+: server\.workers: /),
    expect.stringMatching(/^error .*anyport\.yaml:4:\d+: protocols\[0\]\.target: /),
  ]);
  await expectUnchanged(1);
});

test('what can not change while it runs is named, with both values', async () => {
  const line = await daemon.reload({ ...good(), server: { buffer_size: 65_536 } });
  expect(line).toMatchObject({ level: 'error', problems: 1 });
  expect(problemsAfter(line)[0]).toMatch(/server\.buffer_size: .*32KiB.*64KiB.*restart/);
  await expectUnchanged(1);
});

test('refused again for the same reason: counted each time, said once a second', async () => {
  daemon.configure('server: {');
  const startMs = performance.now();
  for (let n = 0; n < 50; n++) {
    const before = await daemon.metric('anyport_config_reloads_total', { result: 'refused' });
    daemon.signal('SIGHUP');
    await daemon.metricBecomes('anyport_config_reloads_total', before + 1, { result: 'refused' });
  }
  const seconds = Math.ceil((performance.now() - startMs) / 1000);
  const said = daemon.lines.filter(({ msg }) => msg.startsWith('reload refused'));
  expect(said.length).toBeLessThanOrEqual(seconds + 2);
  expect(await daemon.reload(good())).toMatchObject({ msg: 'the configuration is unchanged' });
});

test('a change refused by a worker, after sockets for more workers were opened, loses no connection', async () => {
  const pings = startPings({ port: daemon.port });
  for (let n = 1; n <= 5; n++) {
    // The same refusal again within a second would have no line.
    const handler = `./broken-${n}.mjs`;
    writeFileSync(`${daemon.folder.path}/${handler}`, 'throw new Error("not today")');
    const wanted = { protocols: [{ name: 'Redis', handler }], server: { workers: 4 } };
    const line = await daemon.reload(wanted);
    expect(line.msg).toMatch(/^reload refused/);
    expect(problemsAfter(line)[0]).toMatch(/not today/);
  }
  expect(await pings.stop()).toEqual([]);
  expect(pings.answered).toBeGreaterThan(5);
  expect(await daemon.metric('anyport_workers')).toBe(1);
});

test('that the open files are too few is said of what is in force alone', async () => {
  const start = { ...good(), server: { max_connections: 10 } };
  const few = await startDaemon(start, { wrapper: ['prlimit', '--nofile=256:256'] });
  const taken = await listenTcp(echo);
  const wanted = { ...good(), server: { max_connections: 5000 } };
  const warnings = () => few.lines.filter(({ msg }) => msg.startsWith('too few open files'));
  const before = warnings().length;
  const refused = await few.reload({ ...wanted, listeners: [{ name: 'taken', address: taken.target }] });
  expect(refused.msg).toMatch(/^reload refused/);
  expect(warnings()).toHaveLength(before);
  const applied = await few.reload(wanted);
  expect(applied.msg).toBe('reloaded');
  expect(warnings().slice(before)).toMatchObject([{ max_connections: 5000, files_allowed: 256 }]);
  await few.stop();
  await taken.close();
});

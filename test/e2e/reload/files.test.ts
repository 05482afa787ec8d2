/** The daemon follows its files: changed, mended, gone, not to be read; and floods of SIGHUP. */
import { mkdirSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../../support/daemon.js';
import { redisPing } from '../../support/flights.js';
import { dial, echo, listenTcp, type Upstream } from '../../support/tcp.js';
import { eventually } from '../../support/wait.js';

let daemon: Daemon;
let old: Upstream;
let next: Upstream;

beforeEach(async () => {
  [old, next] = [await listenTcp(echo), await listenTcp(echo)];
});

afterEach(async () => {
  await daemon.stop();
  for (const upstream of [old, next]) await upstream.close();
});

const watching = { reload_on_change: true };
const redisTo = (target: string) => ({ server: watching, protocols: [{ name: 'Redis', target }] });

const start = async () => {
  daemon = await startDaemon(redisTo(old.target));
};

/** Longer than the watch waits: what it has not seen by then it will not see. */
const A_WHILE_MS = 600;

async function reaches(upstream: Upstream): Promise<void> {
  const before = upstream.peers.length;
  const client = (await dial(daemon.port)).send(redisPing);
  await client.bytes(redisPing.length);
  expect(upstream.peers.length).toBe(before + 1);
}

const outcomes = () =>
  daemon.lines.filter(({ msg }) => /^(reloaded|reload refused|the configuration is)/.test(msg));

const counted = (result: string) => daemon.metric('anyport_config_reloads_total', { result });

test('a new file is in force a moment later', async () => {
  await start();
  daemon.configure(redisTo(next.target));
  expect(await daemon.outcome(0)).toMatchObject({ msg: 'reloaded', cause: 'file' });
  await reaches(next);
});

test('a file written in two halves: refused at most once, then in force', async () => {
  await start();
  const whole = daemon.textOf(redisTo(next.target));
  writeFileSync(daemon.file, whole.slice(0, whole.length / 2));
  expect((await daemon.outcome(0)).msg).toMatch(/^reload refused/);
  await reaches(old);
  writeFileSync(daemon.file, whole);
  await eventually('a reload', () => outcomes().some(({ msg }) => msg === 'reloaded'));
  await reaches(next);
  expect(outcomes()).toHaveLength(2);
});

test('a file that vanishes is said to be gone once; what runs goes on, and the file may come back', async () => {
  await start();
  renameSync(daemon.file, `${daemon.file}.away`);
  await daemon.outcome(0);
  await sleep(A_WHILE_MS);
  const [refusal] = outcomes();
  expect(outcomes()).toEqual([expect.objectContaining({ level: 'error', cause: 'file', problems: 1 })]);
  expect(daemon.lines[daemon.lines.indexOf(refusal as never) + 1]?.msg).toMatch(
    /anyport\.yaml: can not read it: no such file/,
  );
  await reaches(old);
  renameSync(`${daemon.file}.away`, daemon.file);
  await eventually('the good news', () => outcomes().length === 2);
  expect(outcomes()[1]).toMatchObject({ level: 'info', msg: 'the configuration is unchanged' });
});

test('a file that is touched, or written again with the same content, is no news', async () => {
  await start();
  daemon.configure(redisTo(old.target));
  await sleep(A_WHILE_MS);
  expect(outcomes()).toEqual([]);
  expect(await counted('unchanged')).toBe(0);
});

test('included files are followed too, also those that come later', async () => {
  await start();
  const part = (name: string, target: string) =>
    writeFileSync(
      `${daemon.folder.path}/conf.d/${name}`,
      JSON.stringify({ protocols: [{ name: 'Redis', target }] }),
    );
  mkdirSync(`${daemon.folder.path}/conf.d`);
  part('a.yaml', old.target);
  daemon.configure({ server: watching, include: ['conf.d/*.yaml'] });
  await eventually('the included file to be read', async () => (await counted('unchanged')) === 1);
  part('a.yaml', next.target);
  await daemon.outcome(0);
  await reaches(next);
  rmSync(`${daemon.folder.path}/conf.d/a.yaml`);
  part('b.yaml', old.target);
  await eventually('the other file', () => outcomes().length === 2);
  await reaches(old);
});

test('it can be turned on and off', async () => {
  const off = { ...redisTo(next.target), server: { reload_on_change: false } };
  await start();
  expect(await daemon.reload(off)).toMatchObject({ msg: 'reloaded', settings: { changed: 1 } });
  await sleep(A_WHILE_MS); // the event of the file may have been a reload beside the signal's
  daemon.configure(redisTo(old.target));
  await sleep(A_WHILE_MS);
  await reaches(next);
  await daemon.reload();
  const from = daemon.lines.length;
  daemon.configure(redisTo(next.target));
  const later = () => daemon.lines.slice(from);
  await eventually('the last file', () =>
    later().some(({ msg, cause }) => msg === 'reloaded' && cause === 'file'),
  );
  await reaches(next);
});

describe('what can not be read is refused, once', () => {
  const unreadable = [
    {
      why: 'a file of 100 MB',
      make: () => {
        writeFileSync(daemon.file, '');
        truncateSync(daemon.file, 100e6);
      },
      said: /larger than 1 MiB/,
    },
    {
      why: 'a folder',
      make: () => {
        rmSync(daemon.file);
        mkdirSync(daemon.file);
      },
      said: /it is a directory/,
    },
    {
      why: 'bytes that are no text',
      make: () => writeFileSync(daemon.file, Buffer.from([0xff, 0x80, 0x00])),
      said: /UTF-8/,
    },
  ];
  test.each(unreadable)('$why', async ({ make, said }) => {
    await start();
    make();
    const refusal = await daemon.outcome(0);
    expect(refusal).toMatchObject({ level: 'error', problems: 1 });
    await sleep(A_WHILE_MS);
    expect(outcomes()).toHaveLength(1);
    expect(daemon.lines[daemon.lines.indexOf(refusal) + 1]?.msg).toMatch(said);
    await reaches(old);
  });
});

test('1,000 SIGHUPs are few reloads and fewer lines', async () => {
  await start();
  const startMs = performance.now();
  for (let n = 0; n < 1000; n++) {
    daemon.signal('SIGHUP');
    if (n % 50 === 0) await reaches(old);
  }
  await eventually('the last reload', async () => (await counted('unchanged')) > 0);
  await sleep(A_WHILE_MS);
  const seconds = Math.ceil((performance.now() - startMs) / 1000);
  expect(await counted('unchanged')).toBeLessThan(500);
  expect(outcomes().length).toBeLessThanOrEqual(seconds + 1);
  await reaches(old);
  expect(await daemon.reload(redisTo(next.target))).toMatchObject({ msg: 'reloaded' });
});

/** The thread that reads configurations, of the built program: it stays for a while, and its end is a refusal. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import type { Reader, ReaderLimits } from '../../src/config/aside.js';
import type { Loaded } from '../../src/config/load.js';
import { tempFolder } from '../support/temp.js';
import { eventually } from '../support/wait.js';

const dist = new URL('../../dist/config/aside.js', import.meta.url).href;
const { Reader: Built } = (await import(dist)) as { Reader: typeof Reader };

const folder = tempFolder();
afterAll(folder.remove);

const file = `${folder.path}/any.yaml`;
writeFileSync(file, 'protocols: [{ name: SSH, target: "a:22" }]\n');
const request = { file, flags: {}, environment: {} };

let reader: Reader;
afterEach(() => reader.close());

const readerWith = (limits: Partial<ReaderLimits> = {}): Reader => {
  reader = new Built(limits);
  return reader;
};

const why = (loaded: Loaded): string => (loaded.ok ? 'ok' : (loaded.problems[0]?.message ?? ''));

test('answers come in the order of requests', async () => {
  readerWith();
  const documents = [1, 2, 3].map((workers) => ({
    document: { server: { workers } },
    directory: folder.path,
  }));
  const answers = await Promise.all([request, ...documents].map((each) => reader.load(each)));
  expect(answers.map((each) => each.ok && each.config.protocols.length)).toEqual([1, 0, 0, 0]);
  expect(answers.map((each) => each.ok && each.config.server.workers).slice(1)).toEqual([1, 2, 3]);
});

/**
 * Threads of a process of its own: at first, after warming, with a warm reader, after it was idle; and how many ends
 * were told. Ends although one is warm.
 */
const SCRIPT = `
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Reader } from ${JSON.stringify(dist)};
const threads = () => readdirSync('/proc/self/task').length;
const request = { document: {}, directory: '/' };
const counts = [threads()];
let ended = 0;
const reader = new Reader({ idleMs: 50 }, () => ended++);
reader.warm();
reader.warm();
counts.push(threads());
for (let n = 0; n < 5; n++) if (!(await reader.load(request)).ok) throw new Error('refused');
counts.push(threads());
while (threads() > counts[0] || ended === 0) await sleep(10);
counts.push(threads(), ended);
await new Reader().load(request);
console.log(counts.join(' '));`;

test('one thread for all, which ends by itself and keeps no process alive', () => {
  const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '-e', SCRIPT], {
    encoding: 'utf8',
    timeout: 30_000,
  });
  const [first = 0, ...counts] = stdout.trim().split(' ').map(Number);
  expect({ status, counts }).toEqual({ status: 0, counts: [first + 1, first + 1, first, 1] });
});

test('a thread that has answered often is replaced in a pause', async () => {
  let ended = 0;
  reader = new Built({ answersSoftMax: 3, pauseMs: 1 }, () => {
    ended += 1;
  });
  const answers = await Promise.all(Array.from({ length: 10 }, () => reader.load(request)));
  expect({ ok: answers.every(({ ok }) => ok), ended }).toEqual({ ok: true, ended: 0 });
  await eventually('one thread to end', () => ended === 1);
  expect(await reader.load(request)).toMatchObject({ ok: true });
  expect(ended).toBe(1);
});

test('where there is no pause it is replaced nevertheless, whoever waits', async () => {
  let ended = 0;
  reader = new Built({ answersHardMax: 3 }, () => {
    ended += 1;
  });
  const answers = await Promise.all(Array.from({ length: 10 }, () => reader.load(request)));
  expect(answers.every(({ ok }) => ok)).toBe(true);
  await eventually('three threads to end', () => ended === 3);
  expect(await reader.load(request)).toMatchObject({ ok: true });
});

describe('no answer is a refusal, and the next request has a new thread', () => {
  test('too little memory', async () => {
    const big = `${folder.path}/big.yaml`;
    writeFileSync(big, `routes:\n${'  - { when: { sni: "a.example" }, to: reset }\n'.repeat(20_000)}`);
    const answer = await readerWith({ heapMb: 16 }).load({ ...request, file: big });
    expect(answer).toMatchObject({ ok: false, files: [big], problems: [{ file: big }] });
    expect(why(answer)).toMatch(/^not read: it takes more memory than is allowed/);
  });

  test('too little time', async () => {
    readerWith({ answerMs: 1 });
    expect(why(await reader.load(request))).toBe('not read: reading it takes longer than 1 ms');
  });

  test('what can not be handed over', async () => {
    readerWith();
    const document = { server: { listen: () => ':1' } };
    expect(why(await reader.load({ document, directory: '/' }))).toMatch(
      /^not read: it can not be handed over/,
    );
    expect(why(await reader.load(request))).toBe('ok');
  });

  test('too many that wait', async () => {
    readerWith({ waitingMax: 2 });
    const answers = await Promise.all([1, 2, 3].map(() => reader.load(request)));
    expect(answers.map(why)).toEqual(['ok', 'ok', 'not read: 2 readings of it are waiting already']);
    expect(why(await reader.load(request))).toBe('ok');
  });

  test('no thread allowed: each request is refused, and the process goes on', () => {
    const script = `
      import { spawnSync } from 'node:child_process';
      import { Reader } from ${JSON.stringify(dist)};
      spawnSync('prlimit', ['--nproc=1:1', '--pid', String(process.pid)]);
      const reader = new Reader();
      const request = ${JSON.stringify(request)};
      reader.warm();
      for (let n = 0; n < 2; n += 1) console.log((await reader.load(request)).problems[0].message);`;
    // Root may start any number.
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
      ...(process.getuid?.() === 0 && { uid: 65_534 }),
    });
    const refused =
      'not read: can not start a thread (EAGAIN): allow more, as `ulimit -u` or TasksMax of systemd does';
    expect(stdout, stderr).toBe(`${refused}\n${refused}\n`);
  });

  test('a reader that is closed', async () => {
    readerWith();
    const answer = reader.load(request);
    reader.close();
    expect(why(await answer)).toMatch(/^not read: /);
    expect(why(await reader.load(request))).toBe('not read: anyport is being closed');
  });
});

test('a process that stood still longer than an answer may take still has its answer', async () => {
  readerWith({ answerMs: 3000 });
  const answer = reader.load(request);
  await new Promise(setImmediate); // it has been asked for
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 4000);
  expect(why(await answer)).toBe('ok');
});

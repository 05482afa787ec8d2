/** The end of a test run says what failed, where and why, wherever it failed: `failing/` does, in every way. */
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

const runner = new URL('../../scripts/lib/vitest.mjs', import.meta.url).href;
const program = `
  import { runVitest, summarize } from ${JSON.stringify(runner)};
  const counts = runVitest(['--root', 'test/runner/failing']);
  console.log(JSON.stringify(counts.skipped));
  process.exitCode = summarize(counts);`;

// Vitest in vitest: it is not one of this run's processes.
const { VITEST: _, VITEST_POOL_ID: __, VITEST_WORKER_ID: ___, ...env } = process.env;
const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
  encoding: 'utf8',
  env,
});
const [skipped = '', sum] = stdout.trim().split('\n').slice(-2);
/** `failed: where`, then its lines, indented. */
const told = stdout.match(/^failed: .*(?:\n {4}.*)*/gm) ?? [];

test.each([
  {
    why: 'an assertion, with what differs',
    where: 'assertion.fails.ts: differs',
    words: ['matching properties omitted', '-   "reason": "done"', '+   "reason": "idle_timeout"'],
    at: 'assertion.fails.ts:5:',
  },
  {
    why: 'an assertion with much around what differs',
    where: 'assertion.fails.ts: differs in much',
    words: ['-   "key19": 0', '+   "key19": 19', 'lines more'],
    at: 'assertion.fails.ts:8:',
  },
  {
    why: 'an error with a cause',
    where: 'assertion.fails.ts: comes late',
    words: ['expected 1 to be 2', 'because of Error: Matcher did not succeed in time.'],
    at: 'assertion.fails.ts:10:',
  },
  {
    why: 'hooks of a file',
    where: 'file-hook.fails.ts',
    words: ['Error: no port is free', 'Error: nothing to stop'],
    at: 'file-hook.fails.ts:4:',
  },
  {
    why: 'beforeAll of a nested suite',
    where: 'hooks.fails.ts: outer > inner: in a hook',
    words: ['Error: the server did not start'],
    at: 'hooks.fails.ts:6:',
  },
  {
    why: 'afterAll of a nested suite',
    where: 'hooks.fails.ts: outer > ends badly: in a hook',
    words: ['Error: the folder is still there'],
    at: 'hooks.fails.ts:12:',
  },
  {
    why: 'an import',
    where: 'import.fails.ts',
    words: ["Cannot find module './nowhere.js'"],
    at: 'import.fails.ts:3:',
  },
  {
    why: 'a promise that nobody waits for',
    where: 'Unhandled Rejection outside of tests, test/runner/failing/outside.fails.ts: leaves a promise',
    words: ['Error: nobody waited for it'],
    at: 'outside.fails.ts:4:',
  },
  {
    why: 'a process that dies',
    where: 'crash.fails.ts',
    words: ['it did not end; 3 tests without a result'],
  },
  {
    why: 'a process that dies, as vitest says it',
    where: 'Unhandled Error outside of tests',
    words: ['because of Error: Worker exited unexpectedly'],
  },
])('$why', ({ where, words, at }) => {
  const failure = told.find((each) => each.startsWith(`failed: ${where}\n`));
  expect(failure, stdout).toBeDefined();
  for (const each of words) expect(failure).toContain(each);
  if (at !== undefined) expect(failure).toMatch(new RegExp(`^ {8}at .*test/runner/failing/${at}`, 'm'));
  expect(failure?.split('\n').length).toBeLessThan(50);
});

test('nothing else failed, and what a hook kept from running is named', () => {
  expect({ told: told.length, sum, status }).toEqual({ told: 10, sum: '2 passed, 10 failed', status: 1 });
  expect(JSON.parse(skipped)).toEqual([
    'file-hook.fails.ts: never runs',
    'hooks.fails.ts: outer > inner > never runs',
  ]);
});

/** `anyport hash-password`: from a pipe, from a terminal, and what it refuses. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseUsers, UserGate, userTable } from '../../src/forward-proxy/users/index.js';
import { collect, type Finished, runProgram } from '../support/process.js';
import { describeWith } from '../support/tools.js';
import { eventually } from '../support/wait.js';

const run = (input: string, ...args: string[]): Promise<Finished> =>
  runProgram(process.execPath, ['dist/cli/main.js', 'hash-password', ...args], { input });

/** Whether the proxy takes the password for the one that was hashed. */
async function isOf(hash: string, password: string): Promise<boolean> {
  const users = userTable([{ name: 'alice', hash, upstream: 0 }]);
  const gate = new UserGate({ nowMs: () => 0 });
  const judged = await gate.verify(users, { name: 'alice', password: Buffer.from(password) }, '');
  return judged.verdict === 'user';
}

test('the hash of the one line of standard input is that of the password, each time another one', async () => {
  const { status, stdout, stderr } = await run('tr0ub4dor & 3\n', '--cost', '14');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toMatch(/^\$scrypt\$ln=14,r=8,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}\n$/);
  expect(await isOf(stdout.trimEnd(), 'tr0ub4dor & 3')).toBe(true);
  expect(await isOf(stdout.trimEnd(), 'tr0ub4dor')).toBe(false);
  expect((await run('tr0ub4dor & 3', '--cost', '14')).stdout).not.toBe(stdout);
});

test('a line for a file of users, at the usual cost', async () => {
  const { stdout } = await run('pässword', '--name', 'alice');
  const { users, problems } = parseUsers(stdout);
  expect(problems).toEqual([]);
  expect(users).toMatchObject([{ name: 'alice', hash: expect.stringMatching(/^\$scrypt\$ln=15,/) }]);
  expect(await isOf(users[0]?.hash ?? '', 'pässword')).toBe(true);
});

describe('refused, and nothing printed', () => {
  test.each([
    ['no password', '', [], 'the password is empty'],
    ['several lines', 'one\ntwo\n', [], 'standard input has several lines: give the password alone'],
    ['a password that is longer than any', 'x'.repeat(1025), [], 'the password is longer than 1024 bytes'],
    [
      'a cost that protects little',
      'x',
      ['--cost', '10'],
      '--cost: expected a whole number from 14 to 16, got "10"',
    ],
    ['a cost that is none', 'x', ['--cost', 'high'], '--cost: expected a whole number from 14 to 16'],
    [
      'a name that can not be',
      'x',
      ['--name', 'a:b'],
      '--name: a user that has a name with a blank, a colon',
    ],
    ['a password among the arguments', '', ['hunter2'], 'too many arguments'],
  ])('%s', async (_, input, args, expected) => {
    const { status, stdout, stderr } = await run(input, ...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(expected);
    expect(stderr).not.toContain('hunter2');
  });
});

describeWith('script')('on a terminal', () => {
  /** What is typed after each question, and all that is shown then. */
  async function typed(...answers: string[]): Promise<{ status: number; shown: string }> {
    const command = `exec ${process.execPath} ${resolve('dist/cli/main.js')} hash-password --cost 14`;
    const child = spawn('script', ['-qec', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'ignore'] });
    const shown = collect(child.stdout);
    const exited = once(child, 'close');
    for (const [index, answer] of answers.entries()) {
      await eventually('a question', () => shown().split(/(?:Password|The same again): /).length > index + 1);
      child.stdin.write(answer);
    }
    const [status] = (await exited) as [number];
    return { status, shown: shown() };
  }

  test('it is asked for twice and never shown; what is typed wrong can be taken back', async () => {
    const { status, shown } = await typed('hunterx\x7f2\r', 'hunter2\r');
    expect(status).toBe(0);
    expect(shown).not.toContain('hunter');
    const hash = /\$scrypt\$\S+/.exec(shown)?.[0] ?? '';
    expect(await isOf(hash, 'hunter2')).toBe(true);
  });

  test('two that differ are none', async () => {
    const { status, shown } = await typed('hunter2\r', 'hunter3\r');
    expect(status).toBe(2);
    expect(shown).toContain('the passwords are not the same');
    expect(shown).not.toContain('$scrypt$');
  });

  test('Ctrl-C ends it', async () => {
    const { status, shown } = await typed('hunt\x03');
    expect(status).toBe(1);
    expect(shown).toContain('no password was given');
    expect(shown).not.toContain('hunt');
  });
});

/** Files of users. */
import { describe, expect, test } from 'vitest';
import { parseUsers } from '../../../src/forward-proxy/users/file.js';
import { hashText } from '../../../src/forward-proxy/users/phc.js';

const hash = hashText({ ln: 15, r: 8, p: 1, salt: Buffer.alloc(16), hash: Buffer.alloc(32) });
const problemsOf = (text: string) => parseUsers(text).problems;

test('a user a line; comments, empty lines and the ends of other systems count for nothing', () => {
  const text = `# who may\n\nalice:${hash}\r\n  bob:${hash}  \nzoë:${hash}`;
  expect(parseUsers(text)).toEqual({
    users: [
      { name: 'alice', hash, line: 3 },
      { name: 'bob', hash, line: 4 },
      { name: 'zoë', hash, line: 5 },
    ],
    problems: [],
  });
});

describe('what is wrong is said with its line', () => {
  test.each([
    ['no colon', 'alice', 'expected `NAME:HASH`'],
    ['no name', `:${hash}`, 'has no name'],
    ['a blank in a name', `al ice:${hash}`, 'has a name with a blank, a colon or a control character'],
    ['a control character', `al\x07ice:${hash}`, 'has a name with a blank, a colon or a control character'],
    ['a long name', `${'a'.repeat(65)}:${hash}`, 'has a name of 65 characters: at most 64'],
    ['a password', 'alice:hunter2', 'the hash of `alice` is no hash: `anyport hash-password` makes one'],
    ['another hash', 'alice:$2y$05$abc', 'the hash of `alice` is a hash of bcrypt'],
    ['somebody twice', `alice:${hash}\nalice:${hash}`, '`alice` is there already, in line 2'],
  ])('%s', (_, line, expected) => {
    const problems = problemsOf(`# first\n${line}\n`);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.message).toContain(expected);
    expect(problems[0]?.line).toBe(line.includes('\n') ? 3 : 2);
  });

  test('all of them, and no password is among it', () => {
    const problems = problemsOf('alice:hunter2\nhunter2\nbob:hunter2');
    expect(problems.map(({ line }) => line)).toEqual([1, 2, 3]);
    expect(JSON.stringify(problems)).not.toContain('hunter2');
  });
});

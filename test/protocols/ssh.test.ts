import { expect, test } from 'vitest';
import { sshFacts } from '../../src/protocols/ssh.js';
import { text } from '../cases/case.js';

const cases = [
  {
    why: 'comments follow',
    line: 'SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n',
    expect: { verdict: 'facts', facts: { software: 'OpenSSH_9.2p1' } },
  },
  { why: 'a lone LF', line: 'SSH-1.99-Old\n', expect: { verdict: 'facts', facts: { software: 'Old' } } },
  { why: 'a dash in it', line: 'SSH-2.0-a-b\r\n', expect: { verdict: 'facts', facts: { software: 'a-b' } } },
  { why: 'the line goes on', line: 'SSH-2.0-Op', expect: { verdict: 'more', bytesNeeded: 11, facts: {} } },
  {
    why: 'a line over 255 bytes',
    line: `SSH-2.0-${'a'.repeat(300)}\r\n`,
    expect: { verdict: 'broken', facts: {} },
  },
];

test.each(cases)('SSH facts: $why', ({ line, expect: due }) => {
  expect(sshFacts(text(line))).toEqual(due);
});

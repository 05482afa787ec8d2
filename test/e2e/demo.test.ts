/** The embedded default: one port without a file, on which a browser, redis-cli and a curious person get answers. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, startWithFlags } from '../support/daemon.js';
import { runProgram } from '../support/process.js';
import { dial } from '../support/tcp.js';
import { describeWith } from '../support/tools.js';

const PORT = 9090;

describeWith('curl', 'redis-cli')('anyport run, nothing else', () => {
  let daemon: Daemon;

  beforeAll(async () => {
    daemon = await startWithFlags([], PORT);
  });
  afterAll(() => daemon.stop());

  test('curl gets a page that says how it was identified', async () => {
    const { status, stdout } = await runProgram('curl', ['-sS', `http://127.0.0.1:${PORT}/`]);
    expect({ status, stdout }).toMatchObject({ status: 0, stdout: expect.stringMatching(/http/i) });
    const missing = ['-s', '-o', '/dev/null', '-w', '%{http_code}', `http://127.0.0.1:${PORT}/missing`];
    expect((await runProgram('curl', missing)).stdout).toBe('404');
  });

  const commands = [
    { args: ['ping'], answer: /^PONG$/m },
    { args: ['echo', 'over here'], answer: /^over here$/m },
    { args: ['info'], answer: /anyport/ },
  ];
  test.each(commands)('redis-cli $args', async ({ args, answer }) => {
    const { status, stdout } = await runProgram('redis-cli', ['-p', `${PORT}`, ...args]);
    expect({ status, stdout }).toMatchObject({ status: 0, stdout: expect.stringMatching(answer) });
  });

  test('any other bytes come back', async () => {
    const client = await dial(PORT);
    const sent = Buffer.concat([Buffer.from('\x01\x02 hello\n'), Buffer.alloc(300_000, 'x')]);
    client.send(sent).finish();
    expect(await client.end()).toBe('fin');
    expect(client.received.equals(sent)).toBe(true);
  });
});

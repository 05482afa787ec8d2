/** Hostile input: the cost of a line is bounded, and output never contains terminal commands. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { runProgram } from '../support/process.js';

const anyport = (args: readonly string[], input: string | Buffer, heapMiB = 256) =>
  runProgram(process.execPath, [`--max-old-space-size=${heapMiB}`, 'dist/cli/main.js', ...args], { input });

const folder = mkdtempSync(join(tmpdir(), 'anyport-cli-'));
afterAll(() => rmSync(folder, { recursive: true }));

const ssh = JSON.stringify({ id: 'a', segments: [Buffer.from('SSH-2.0-x\r\n').toString('base64')] });
const LINE_BYTES_MAX = 2 * 1024 * 1024;

describe('identify --jsonl', () => {
  test('a line of 100 MB is refused in little memory, and the next one answered', async () => {
    const input = Buffer.concat([Buffer.alloc(100e6, '['), Buffer.from(`\n${ssh}\n`)]);
    const { status, stdout, stderr } = await anyport(['identify', '--jsonl'], input, 64);
    expect(stderr).toBe(`anyport: line 1: longer than ${LINE_BYTES_MAX} bytes\n`);
    expect(JSON.parse(stdout)).toMatchObject({ id: 'a', protocol: 'ssh' });
    expect(status).toBe(2);
  });

  test.each([
    { why: 'as long as it may be', spaces: LINE_BYTES_MAX - ssh.length, status: 0 },
    { why: 'a byte longer', spaces: LINE_BYTES_MAX - ssh.length + 1, status: 2 },
  ])('a line $why', async ({ spaces, status }) => {
    const answer = await anyport(['identify', '--jsonl'], `${ssh}${' '.repeat(spaces)}\n${ssh}`);
    expect(answer.stdout.trimEnd().split('\n')).toHaveLength(status === 0 ? 2 : 1);
    expect(answer.status).toBe(status);
  });

  test('nested as deep as a line is long', async () => {
    const deep = `{"id":${'['.repeat(500_000)}${']'.repeat(500_000)},"segments":[]}`;
    const { status, stdout, stderr } = await anyport(['identify', '--jsonl'], `${deep}\n${ssh}\n`);
    expect(stderr).toMatch(/^anyport: line 1: .*\n$/);
    expect(JSON.parse(stdout)).toMatchObject({ id: 'a' });
    expect(status).toBe(2);
  });

  test.each(['{"id":{},"segments":[]}', '{"id":[1],"segments":[]}', '{"id":true,"segments":[]}'])(
    'an id that is none: %s',
    async (line) =>
      expect(await anyport(['identify', '--jsonl'], line)).toMatchObject({
        status: 2,
        stderr: 'anyport: line 1: id is neither text nor number\n',
      }),
  );

  test('a folder in place of a file is one line, as it is without --jsonl', async () => {
    const stderr = 'anyport: can not read .: it is a directory\n';
    for (const args of [
      ['identify', '.'],
      ['identify', '--jsonl', '.'],
    ]) {
      expect(await anyport(args, '')).toMatchObject({ status: 2, stdout: '', stderr });
    }
  });

  test('lines end with CR LF as well, and the last one need not end', async () => {
    const { stdout } = await anyport(['identify', '--jsonl'], `${ssh}\r\n\r\n${ssh}`);
    expect(stdout.trimEnd().split('\n')).toHaveLength(2);
  });
});

describe('nothing commands the terminal', () => {
  // ESC, C1 CSI, DEL, line separator and bidirectional control, in one fact of each text kind.
  const hostile = Buffer.from('SSH-2.0-a\x1b[31m\x9b2J\x7fz\r\n', 'latin1');
  const path = Buffer.from('GET /\u009b31m\u202e\u2028 HTTP/1.1\r\nHost: a\u0085b\r\n\r\n');
  const commands = /[^\P{Cc}\n]|[\p{Zl}\p{Zp}\p{Bidi_Control}]/u; // except LF
  const config = join(folder, 'anyport.yaml');
  writeFileSync(
    config,
    'protocols: [{ name: SSH, target: "127.0.0.1:1" }, { name: HTTP, target: "127.0.0.1:2" }]\nroutes: [{ when: { host: "b.example" }, to: close }]',
  );
  const line = (bytes: Buffer) => JSON.stringify({ id: '\u009b', segments: [bytes.toString('base64')] });
  const rows = [hostile, path].flatMap((bytes) => [
    { how: 'identify', args: ['identify'], input: bytes },
    { how: 'identify --json', args: ['identify', '--json'], input: bytes },
    { how: 'identify --jsonl', args: ['identify', '--jsonl'], input: Buffer.from(line(bytes)) },
    { how: 'explain', args: ['explain', '-c', config], input: bytes },
    { how: 'explain --json', args: ['explain', '-c', config, '--json'], input: bytes },
  ]);
  test.each(rows)('$how', async ({ args, input }) => {
    const { status, stdout } = await anyport(args, input);
    expect(status).toBe(0);
    expect(stdout).not.toMatch(commands);
  });

  test('what is not printed raw can still be read', async () => {
    const { stdout } = await anyport(['identify'], hostile);
    expect(stdout).toMatch(/software\s+a\\x1b\[31m\\x9b2J\\x7fz/);
    const { stdout: json } = await anyport(['identify', '--json'], hostile);
    expect(JSON.parse(json).facts.software).toBe('a\x1b[31m\x9b2J\x7fz');
  });
});

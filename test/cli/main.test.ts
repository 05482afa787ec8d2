/** The command line end to end: output streams and exit status. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { flights } from '../cases/flights.js';
import { runProgram } from '../support/process.js';

const anyport = (args: readonly string[], input: string | Buffer = '') =>
  runProgram(process.execPath, ['dist/cli/main.js', ...args], { input });

const folder = mkdtempSync(join(tmpdir(), 'anyport-cli-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const good = file(
  'good.yaml',
  'security: { ip_blacklist: ["10.0.0.5/8"] }\nprotocols: [{ name: HTTP, target: "127.0.0.1:80" }]\n',
);
const twoListeners = file(
  'two.yaml',
  `protocols: [{ name: SSH, target: "127.0.0.1:22" }]
listeners: [{ name: a, address: ":1" }, { name: b, address: ":2" }]
`,
);
const bad = file('bad.yaml', 'server:\n  max_conections: 5\n  workers: 0\nprotocols: [{ name: Htpp }]\n');

const badLines = [
  `${bad}:2:3: server.max_conections: unknown key \`max_conections\`: did you mean \`max_connections\`?`,
  `${bad}:3:3: server.workers: expected \`auto\` or a whole number from 1 to 256, got 0`,
  `${bad}:4:15: protocols[0].name: unknown protocol \`Htpp\`: did you mean \`http\`? (a custom protocol needs \`start_bytes\` or \`regex\`)`,
  'anyport: 3 problems in the configuration',
  '',
].join('\n');

describe('check', () => {
  test('a good file: a summary, with warnings', async () =>
    expect(await anyport(['check', '-c', good])).toEqual({
      status: 0,
      stdout: [
        `${good}: ok, 1 listener, 1 protocol, 0 routes, 1 upstream`,
        `${good}:1:28: warning: security.ip_blacklist[0]: \`10.0.0.5/8\` has bits beyond its prefix: it takes effect as \`10.0.0.0/8\``,
        '',
      ].join('\n'),
      stderr: '',
    }));

  test('a bad file: every problem with its place', async () =>
    expect(await anyport(['check', '-c', bad])).toEqual({ status: 2, stdout: '', stderr: badLines }));

  test.each(['after', 'without'])('the file %s -c', async (where) => {
    const args = where === 'without' ? [bad] : ['--config', bad];
    expect(await anyport(['check', ...args])).toEqual({ status: 2, stdout: '', stderr: badLines });
  });

  test('without a file, in a folder that has none', async () => {
    const { status, stdout, stderr } = await runProgram(
      process.execPath,
      [resolve('dist/cli/main.js'), 'check'],
      {
        cwd: folder,
      },
    );
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toBe(
      'anyport: there is no ./anyport.yaml here: name a file, as in `anyport check FILE`\n',
    );
  });

  test('a warning has a place', async () => {
    const path = file(
      'unreachable.yaml',
      'routes:\n  - { to: reset }\n  - { when: { protocol: ssh }, to: close }\n',
    );
    const { status, stdout } = await anyport(['check', path]);
    expect(status).toBe(0);
    expect(stdout).toContain(`${path}:3:5: warning: routes[1]: can never be reached`);
  });

  test('run --check says the same', async () =>
    expect(await anyport(['run', '--check', '-c', bad])).toEqual({
      status: 2,
      stdout: '',
      stderr: badLines,
    }));
});

test('run starts nothing on a bad file', async () =>
  expect(await anyport(['run', '-c', bad])).toEqual({ status: 2, stdout: '', stderr: badLines }));

describe('bad usage: exit 2, one line that says what was wrong, nothing on standard output', () => {
  const rows: { args: string[]; says: string }[] = [
    { args: ['frobnicate'], says: "unknown command 'frobnicate'" },
    { args: ['run', '--frobnicate'], says: "unknown option '--frobnicate'" },
    { args: ['run', '--listen'], says: "option '--listen <address>' argument missing" },
    { args: ['run', '--route', 'ssh'], says: 'Write NAME=HOST:PORT' },
    { args: ['run', '--route', 'ssh='], says: 'Write NAME=HOST:PORT' },
    {
      args: ['run', '--route', 'shs=127.0.0.1:22'],
      says: '--route shs name: unknown protocol `shs`: did you mean `ssh`?',
    },
    { args: ['run', '--listen', '127.0.0.1:x'], says: '--listen [0]: expected an address' },
    { args: ['run', '--workers', 'many'], says: '--workers: expected `auto` or a whole number' },
    {
      args: ['run', '--accept', 'handof'],
      says: '--accept: unknown value `handof`: did you mean `handoff`?',
    },
    { args: ['run', '--forward', '7878'], says: 'Write LISTEN[/tcp|/udp|/tcp+udp]=HOST:PORT' },
    {
      args: ['run', '--forward', '7878/sctp=127.0.0.1:1'],
      says: '--forward 7878/sctp scheme: unknown value `sctp`',
    },
    {
      args: ['run', '--admin', ':9093'],
      says: '--admin: `:9093` is open to other machines: set `admin.token`',
    },
    { args: ['run', '-c', join(folder, 'none.yaml')], says: 'none.yaml: can not read it: no such file' },
    { args: ['check', 'none.yaml'], says: 'none.yaml: can not read it: no such file' },
    { args: ['check', good, '-c', good], says: 'two files are given' },
    { args: ['check', good, good], says: 'too many arguments' },
    { args: ['identify', join(folder, 'none')], says: 'none: no such file' },
    { args: ['explain', '-c', twoListeners], says: '--listener: name one of a, b' },
    {
      args: ['explain', '-c', twoListeners, '--listener', 'aa'],
      says: '--listener: unknown listener `aa`: did you mean `a`?',
    },
    {
      args: ['explain', '-c', twoListeners, '--listener', 'a', '--from', 'here'],
      says: '--from: `here` is no address',
    },
    { args: ['identify', '--hex', '--jsonl'], says: '--jsonl and --hex exclude each other' },
    { args: [], says: 'Usage: anyport' },
  ];
  test.each(rows)('anyport $args', async ({ args, says }) => {
    const { status, stdout, stderr } = await anyport(args);
    expect(stderr).toContain(says);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  });
});

test('explain: bytes on standard input, as JSON', async () => {
  const { status, stdout } = await anyport(
    ['explain', '-c', twoListeners, '--listener', 'a', '--hex', '--json'],
    '5353482d322e302d780d0a',
  );
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    listener: 'a',
    protocol: 'ssh',
    outcome: { target: 'SSH', by: 'route' },
  });
});

describe('help', () => {
  test.each(['--version', '-v', '-V', 'version'])('%s', async (arg) => {
    const { status, stdout } = await anyport([arg]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test('--help names every command', async () => {
    const { status, stdout } = await anyport(['--help']);
    expect(status).toBe(0);
    for (const name of ['run', 'check', 'identify', 'explain', 'protocols', 'schema', 'version']) {
      expect(stdout).toMatch(new RegExp(`^  ${name} `, 'm'));
    }
  });
});

describe('identify', () => {
  const request = 'GET /a HTTP/1.1\r\nHost: Example.org\r\n\r\n';

  test('for people', async () =>
    expect((await anyport(['identify'], request)).stdout).toBe(
      [
        'protocol      http',
        'verdict       match',
        'decided at    byte 38',
        'bytes needed  no more',
        'method        GET',
        'path          /a',
        'host          example.org',
        '',
      ].join('\n'),
    ));

  test('with the silence that settles it', async () => {
    const opening = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0';
    const { stdout } = await anyport(['identify'], opening);
    expect(stdout).toMatch(/^protocol +http2$/m);
    expect(stdout).toMatch(/^waits +200 ms/m);
    const json = JSON.parse((await anyport(['identify', '--json'], opening)).stdout);
    expect(json).toMatchObject({ protocol: 'http2', quietMs: 200 });
  });

  test('a file, as JSON', async () => {
    const { stdout } = await anyport(['identify', '--json', file('request', request)]);
    expect(JSON.parse(stdout)).toMatchObject({
      protocol: 'http',
      verdict: 'match',
      facts: { host: 'example.org' },
    });
  });

  test('hexadecimal, and not enough of it', async () => {
    const { stdout } = await anyport(['identify', '--hex', '--json', '-'], '53 53\n48');
    expect(JSON.parse(stdout)).toMatchObject({ protocol: null, verdict: 'more', bytesNeeded: 4 });
  });

  test('hexadecimal as programmers write it', async () => {
    const { stdout } = await anyport(['identify', '--hex', '--json'], '0x53 0X53\n0x482d');
    expect(JSON.parse(stdout)).toMatchObject({ protocol: null, verdict: 'more', bytesNeeded: 5 });
  });

  test('not hexadecimal', async () =>
    expect(await anyport(['identify', '--hex'], '5g')).toMatchObject({
      status: 2,
      stderr: 'anyport: not hexadecimal: "g"\n',
    }));

  test('a datagram is not a TCP session', async () => {
    const { stdout } = await anyport(['identify', '--udp', '--json'], request);
    expect(JSON.parse(stdout)).toMatchObject({ protocol: null, verdict: 'unknown' });
  });
});

describe('identify --jsonl', () => {
  const line = (id: string, segments: readonly Uint8Array[]) =>
    JSON.stringify({
      id,
      transport: 'tcp',
      segments: segments.map((each) => Buffer.from(each).toString('base64')),
    });

  test('an answer for each line, in order, the same however the bytes were cut', async () => {
    const own = flights.filter(({ label }) => ['http', 'tls', 'ssh', 'redis'].includes(label)).slice(0, 20);
    const lines = own.flatMap(({ id, bytes }) => [
      line(id, [bytes]),
      line(id, [bytes.subarray(0, 1), bytes.subarray(1, 5), bytes.subarray(5)]),
    ]);
    const { status, stdout } = await anyport(['identify', '--jsonl'], lines.join('\n'));
    const answers = stdout
      .trimEnd()
      .split('\n')
      .map((text) => JSON.parse(text));
    expect(status).toBe(0);
    expect(answers.map(({ id }) => id)).toEqual(own.flatMap(({ id }) => [id, id]));
    for (let index = 0; index < answers.length; index += 2)
      expect(answers[index + 1]).toEqual(answers[index]);
    expect(Object.keys(answers[0])).toEqual(['id', 'protocol', 'decidedAtByte', 'facts']);
  });

  test.each([
    { text: '{', says: 'line 1: not a JSON object' },
    { text: '[]', says: 'line 1: not a JSON object' },
    { text: '{"segments":["?"]}', says: 'line 1: segments is not a list of base64 texts' },
    { text: '\n{"id":1}', says: 'line 2: segments is not a list of base64 texts' },
    { text: '{"segments":[],"transport":"sctp"}', says: 'line 1: transport is neither tcp nor udp' },
    { text: 'null', says: 'line 1: not a JSON object' },
  ])('$says', async ({ text, says }) =>
    expect(await anyport(['identify', '--jsonl'], text)).toMatchObject({
      status: 2,
      stderr: `anyport: ${says}\n`,
      stdout: '',
    }),
  );

  test('a line that can not be read does not keep the others from being answered', async () => {
    const { status, stdout, stderr } = await anyport(
      ['identify', '--jsonl'],
      ['{', line('a', [Buffer.from('SSH-2.0-x\r\n')]), '{"id":"b","segments":[1]}', line('c', [])].join('\n'),
    );
    const answers = stdout
      .trimEnd()
      .split('\n')
      .map((text) => JSON.parse(text));
    expect(answers).toMatchObject([
      { id: 'a', protocol: 'ssh' },
      { id: 'c', protocol: null },
    ]);
    expect(stderr.trimEnd().split('\n')).toEqual([
      'anyport: line 1: not a JSON object',
      'anyport: line 3: segments is not a list of base64 texts',
    ]);
    expect(status).toBe(2);
  });
});

test('protocols: aligned, one line each', async () => {
  const lines = (await anyport(['protocols'])).stdout.trimEnd().split('\n');
  const column = lines[0]?.indexOf('SIGNATURE') ?? -1;
  expect(lines.map((each) => each.split(' ')[0])).toEqual(
    expect.arrayContaining(['http', 'tls', 'ssh', 'redis']),
  );
  for (const each of lines) expect(each.slice(column - 2, column)).toBe('  ');
});

test('schema: JSON Schema', async () => {
  const schema = JSON.parse((await anyport(['schema'])).stdout);
  expect(schema).toMatchObject({ type: 'object', properties: { server: {}, protocols: {}, routes: {} } });
});

describe('too few open files are one line, whatever the command', () => {
  const rows = [
    ['check', good],
    ['identify', '/dev/null'],
    ['explain', '-c', good],
    ['protocols'],
    ['schema'],
    ['version'],
    ['run', '--listen', '127.0.0.1:0', '--route', 'ssh=127.0.0.1:22'],
  ];
  test.each(rows)('anyport %s %s', async (...args) => {
    const command = ['--nofile=64', process.execPath, 'dist/cli/main.js', ...args];
    const { status, stdout, stderr } = await runProgram('prlimit', command);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toBe('anyport: 64 open files are too few: allow more, as `ulimit -n 1024` does\n');
  });
});

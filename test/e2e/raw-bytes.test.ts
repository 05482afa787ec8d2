/** Bytes from the network, wherever they are shown: log lines of both forms, the control interface, the commands. */
import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tlv, withTlvs } from '../cases/proxy-headers.js';
import { anyport } from '../support/daemon.js';
import { freePort } from '../support/ports.js';
import { cleanEnvironment, collect, stopProcess } from '../support/process.js';
import { dial, listenTcp, type Peer, type Upstream } from '../support/tcp.js';
import { type TempFolder, tempFolder } from '../support/temp.js';
import { eventually } from '../support/wait.js';

/** C0 but LF, DEL, C1, separators, bidirectional controls; half of a surrogate; a byte that is no UTF-8. */
const COMMANDS = /[^\P{Cc}\n]|[\p{Zl}\p{Zp}\p{Bidi_Control}\p{Cs}]/u;

const ESC = '\x1b[31m\x1b]0;owned\x07';
const UTF8 = Buffer.from(
  `a${ESC}\u009b2J\x7f\u2028\u2029\u202e\u2066\u200fz\r\nlevel=fatal\n{"msg":"forged"}`,
);
const BROKEN = Buffer.from('c328a0ff1b5b326a9b', 'hex');
const hostile = Buffer.concat([UTF8, BROKEN]);
const withoutLines = Buffer.from(hostile.filter((byte) => byte !== 0x0a && byte !== 0x0d));

const redis = (...words: Buffer[]) =>
  Buffer.concat([
    Buffer.from(`*${words.length}\r\n`),
    ...words.flatMap((word) => [Buffer.from(`$${word.length}\r\n`), word, Buffer.from('\r\n')]),
  ]);

/** The client id is a fact. */
function mqtt(clientId: Buffer): Buffer {
  const body = Buffer.concat([
    Buffer.from('00044d5154540402003c', 'hex'),
    Buffer.of(clientId.length >> 8, clientId.length & 0xff),
    clientId,
  ]);
  return Buffer.concat([Buffer.of(0x10, body.length), body]);
}

const openings: Readonly<Record<string, Buffer>> = {
  'a path': Buffer.concat([
    Buffer.from('GET /'),
    Buffer.from('\u009b31m\u202e\xff'),
    Buffer.from(' HTTP/1.1\r\nHost: h\r\n\r\n'),
  ]),
  'a host': Buffer.concat([
    Buffer.from('GET / HTTP/1.1\r\nHost: a'),
    Buffer.from([0x9b, 0x7f, 0xff]),
    Buffer.from('b\r\n\r\n'),
  ]),
  software: Buffer.concat([Buffer.from('SSH-2.0-'), withoutLines, Buffer.from('\r\n')]),
  'a client id': mqtt(UTF8.subarray(0, 60)),
  'an authority': Buffer.concat([
    withTlvs(tlv(0x02, hostile), tlv(0x05, hostile)),
    Buffer.from('SSH-2.0-x\r\n'),
  ]),
  'an unknown opening': hostile,
  'a command of a handler': redis(hostile),
};

let upstream: Upstream;
let folder: TempFolder;
let port: number;
let admin: number;
let daemon: ChildProcess;
let output: () => string;

async function start(format: 'json' | 'pretty'): Promise<void> {
  [port, admin] = [await freePort(), await freePort()];
  folder = tempFolder();
  // An agent's word with its reason, which the check quotes.
  upstream = await listenTcp((peer) =>
    peer.send(Buffer.concat([Buffer.from('down #'), withoutLines, Buffer.from('\r\n')])),
  );
  const config = {
    logging: { format, level: 'trace' },
    admin: { listen: `127.0.0.1:${admin}` },
    listeners: [
      { name: 'plain', address: `127.0.0.1:${port}` },
      {
        name: 'proxied',
        address: `127.0.0.2:${port}`,
        proxy_protocol: { accept: true, trusted: ['127.0.0.0/8'] },
      },
    ],
    upstreams: {
      ill: { endpoints: [upstream.target], health_check: { type: 'agent', interval: '200ms', fall: 1 } },
      held: { endpoints: [upstream.target] },
    },
    protocols: [
      { name: 'Redis', handler: resolve('test/e2e/handlers/repeating.mjs') },
      { name: 'MQTT', target: 'held' },
      { name: 'SSH', target: 'held' },
      { name: 'HTTP', target: 'held' },
    ],
    routes: [{ when: { host: 'nobody.example' }, to: 'ill' }],
    server: { workers: 1, identify_timeout: '2s' },
  };
  const file = `${folder.path}/anyport.json`;
  writeFileSync(file, JSON.stringify(config));
  daemon = spawn(process.execPath, [resolve('dist/cli/main.js'), 'run', '-c', file, '--allow-root'], {
    env: cleanEnvironment(),
    stdio: 'pipe',
  });
  const [stdout, stderr] = [
    collect(daemon.stdout as NodeJS.ReadableStream),
    collect(daemon.stderr as NodeJS.ReadableStream),
  ];
  output = () => stdout() + stderr();
  await eventually('the daemon to be ready', () => /ready/.test(output()));
}

async function stop(): Promise<void> {
  await stopProcess(daemon);
  await upstream.close();
  folder.remove();
}

/** A session of each opening; those that are relayed stay. */
async function sendAll(): Promise<Peer[]> {
  return Promise.all(
    Object.entries(openings).map(async ([why, bytes]) => {
      const from = why === 'an authority' ? '127.0.0.2' : '127.0.0.1';
      return (await dial(port, from)).send(bytes);
    }),
  );
}

describe.each(['json', 'pretty'] as const)('%s', (format) => {
  beforeAll(() => start(format));
  afterAll(stop);

  test('no field of a log line has them raw, and no line is forged', async () => {
    const clients = await sendAll();
    await eventually('the check to judge its answer', () => /says its agent.*owned/.test(output()));
    await eventually('the handler to fail', () => /no use for/.test(output()));
    for (const client of clients) client.reset();
    await eventually(
      'the lines',
      () => (output().match(/SSH|ssh/g) ?? []).length > 1 && /mqtt/.test(output()),
    );
    expect(output()).toContain('owned');
    expect(output()).not.toMatch(COMMANDS);
    expect(
      output()
        .split('\n')
        .filter((line) => /^level=|^\{"msg":"forged/.test(line)),
    ).toEqual([]);
    if (format === 'json') {
      for (const line of output().split('\n').filter(Boolean)) expect(() => JSON.parse(line)).not.toThrow();
    }
  });
});

describe('while the sessions are open', () => {
  let clients: Peer[];

  beforeAll(async () => {
    await start('json');
    clients = await sendAll();
    const listed = async () => (await answer('sessions')).includes('ssh');
    await eventually('the sessions', listed);
    await eventually('the check', async () => /says its agent.*owned/.test(await answer('upstreams')));
  });

  afterAll(async () => {
    for (const client of clients) client.reset();
    await stop();
  });

  const answer = async (resource: string): Promise<string> =>
    (await fetch(`http://127.0.0.1:${admin}/api/v1/${resource}`)).text();

  test.each(['sessions', 'upstreams', 'status'])('the answer of %s has none', async (resource) => {
    expect(await answer(resource)).not.toMatch(COMMANDS);
  });

  test.each([['sessions'], ['sessions', '--json'], ['upstream'], ['upstream', '--json'], ['status']])(
    '%s %s prints none',
    async (...args) => {
      const words = args.filter((word) => word !== undefined);
      const { status, stdout, stderr } = await anyport([...words, '--admin', `127.0.0.1:${admin}`]);
      expect(status).toBe(0);
      expect(stdout + stderr).not.toMatch(COMMANDS);
    },
  );

  test('what a client asks for is not repeated raw either', async () => {
    const path = encodeURIComponent(UTF8.toString());
    const told = await fetch(`http://127.0.0.1:${admin}/api/v1/protocols/${path}`);
    expect(told.status).toBe(404);
    expect(await told.text()).not.toMatch(COMMANDS);
    const end = await anyport(['sessions', 'end', `\u202e${ESC}`, '--admin', `127.0.0.1:${admin}`]);
    expect(end.status).not.toBe(0);
    expect(end.stdout + end.stderr).not.toMatch(COMMANDS);
  });
});

test('a control interface that is none of ours does not command the terminal', async () => {
  const body = JSON.stringify({ error: { code: 'failed', message: `x${ESC}\u202e`, path: `y${ESC}\n` } });
  const liar = await listenTcp((peer) =>
    peer
      .send(
        `HTTP/1.1 500 X\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      )
      .finish(),
  );
  const told = await anyport(['status', '--admin', liar.target]);
  expect(told.status).toBe(1);
  expect(told.stdout + told.stderr).not.toMatch(COMMANDS);
  await liar.close();
});

/** A real daemon's traffic is recorded and replayed: the same sessions and bytes, and nothing of what was said in them. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Report } from '../../src/bench/bench.js';
import {
  type RecordedSession,
  type Recording,
  readRecording,
  recordingText,
} from '../../src/bench/replay/recording.js';
import { clientHello } from '../../src/bench/workloads/openings.js';
import type { BenchOptions } from '../../src/cli/bench/options.js';
import { runBench } from '../../src/cli/bench/run.js';
import { anyport, type Daemon, startDaemon } from '../support/daemon.js';
import { freePort } from '../support/ports.js';
import { hasOpen } from '../support/proc.js';
import { collect } from '../support/process.js';
import { dial, listenTcp, type Peer, type Upstream } from '../support/tcp.js';
import { type TempFolder, tempFolder } from '../support/temp.js';
import { eventually, within } from '../support/wait.js';

const MARKER = 'qqmarkerqq';
const ANSWER = MARKER.repeat(5000);
const CLIENTS = 5;

let daemon: Daemon;
let endpoint: Upstream;
let folder: TempFolder;
let front: number;
let plain: number;
beforeAll(async () => {
  folder = tempFolder();
  execFileSync('mkfifo', [path('device')]);
  const ended = { msg: 'session', during: 'relay', protocol: 'ssh', by: 'client', duration_ms: 1 };
  const line = { time: '2026-01-01T00:00:00Z', ...ended, bytes_up: 0, bytes_down: 0 };
  writeFileSync(path('lines'), JSON.stringify(line));
  // Answers once, and closes.
  endpoint = await listenTcp((peer: Peer) => peer.socket.once('data', () => peer.send(ANSWER).finish()));
  [front, plain] = [await freePort(), await freePort()];
  const target = `127.0.0.1:${endpoint.port}`;
  daemon = await startDaemon({
    listeners: [{ name: MARKER, address: `127.0.0.1:${front}` }],
    protocols: [
      { name: 'HTTP', target },
      { name: 'TLS', target: `${MARKER}-web` },
      { name: MARKER, target, start_bytes: ['aa55'] },
    ],
    upstreams: { [`${MARKER}-web`]: { endpoints: [target] } },
    forwards: [{ name: `${MARKER}-plain`, listen: `127.0.0.1:${plain}`, target }],
  });
});
afterAll(async () => {
  await daemon.stop();
  await endpoint.close();
  folder.remove();
});

const path = (name: string): string => `${folder.path}/${name}`;

const session: RecordedSession = {
  ...{
    at: 0,
    protocol: 'ssh',
    listener: 0,
    upstream: 0,
    opening: 20,
    up: 500,
    down: 500,
    lasted: 10,
    by: 'client',
  },
};

async function exchange(port: number, opening: string | Buffer): Promise<void> {
  const client = await dial(port);
  await client.send(opening).end();
  client.finish();
}

async function record(): Promise<Recording> {
  const openings: [number, string | Buffer][] = [
    [front, `POST /${MARKER} HTTP/1.1\r\nHost: ${MARKER}.test\r\nContent-Length: 10\r\n\r\n${MARKER}`],
    [front, await clientHello(`${MARKER}.test`)],
    [front, Buffer.from(`\xaa\x55${MARKER}`, 'latin1')],
    [front, `unknown ${MARKER}\r\n\r\n${'\0'.repeat(1100)}`],
    [plain, MARKER],
  ];
  for (const [port, opening] of openings)
    await Promise.all(Array.from({ length: CLIENTS }, () => exchange(port, opening)));
  const lines = await daemon.ended(openings.length * CLIENTS);
  writeFileSync(
    path('log'),
    [...daemon.lines, 'no JSON'].map((line) => `${JSON.stringify(line)}\n`).join(''),
  );
  const { status, stdout, stderr } = await anyport(
    ['bench', '--record', 'load.jsonl', '--log', 'log'],
    folder.path,
  );
  expect(status, stderr).toBe(0);
  expect(stdout).toMatch(/^load\.jsonl: 20 sessions of .*\nnot in it: not relayed 5\n$/);
  const text = readFileSync(path('load.jsonl'), 'utf8');
  expect(text).not.toMatch(/marker|127\.0\.0|\.test/i);
  const read = readRecording(text);
  if (!read.ok) throw new Error(read.problems.join('\n'));
  const sum = (key: 'bytes_up' | 'bytes_down') =>
    lines.filter(({ during }) => during === 'relay').reduce((all, line) => all + line[key], 0);
  const { sessions } = read.recording;
  expect(sessions.reduce((all, { up }) => all + up, 0)).toBe(sum('bytes_up'));
  expect(sessions.reduce((all, { down }) => all + down, 0)).toBe(sum('bytes_down'));
  return read.recording;
}

test('mixed traffic, recorded and replayed', async () => {
  const { sessions } = await record();
  const protocols = [...new Set(sessions.map(({ protocol }) => protocol))];
  expect(protocols.toSorted()).toEqual(['custom', 'http', null, 'tls']);
  const args = ['bench', '--replay', 'load.jsonl', '--json', '-', '--html', 'report.html'];
  const { status, stdout, stderr } = await anyport(args, folder.path);
  expect(status, stderr).toBe(0);
  const { replay, notes } = JSON.parse(stdout) as Report;
  expect(replay?.recorded).toMatchObject({ sessions: 20, down: 20 * ANSWER.length });
  expect(replay?.replayed).toMatchObject({ sessions: 20, down: 20 * ANSWER.length });
  expect(replay?.replayed.up).toBe(replay?.recorded.up);
  expect(notes[0]).toBe('sessions that are not in the recording: not relayed 5');
  expect(replay?.answers?.count).toBeGreaterThanOrEqual(20);
  expect(replay?.cpuPerSession).toBeGreaterThan(0);
  expect(replay?.slices.reduce((all, { replayed }) => all + replayed, 0)).toBeGreaterThan(0);
  expect(readFileSync(path('report.html'), 'utf8')).toContain('Replay of load.jsonl');
});

test('a recording through a configuration of the user’s: by its own protocols, and else by the way that there is', async () => {
  const written = {
    server: { listen: ':443' },
    routes: [
      { when: { protocol: 'tls', sni: 'www.example.com' }, to: 'web' },
      { when: { protocol: 'tls' }, to: 'reset' },
      { when: { protocol: 'http', host: 'www.example.com' }, to: 'web' },
    ],
    upstreams: { web: { endpoints: ['192.0.2.1:443'] } },
  };
  writeFileSync(path('anyport.yaml'), JSON.stringify(written));
  const sessions = (['tls', 'http', 'ssh', 'custom', null] as const).map((protocol) => ({
    ...session,
    protocol,
  }));
  writeFileSync(path('own.jsonl'), recordingText({ span: 100, left_out: {}, sessions }));
  const args = [
    'bench',
    '--replay',
    'own.jsonl',
    '-c',
    'anyport.yaml',
    '--host',
    'www.example.com',
    '--json',
    '-',
  ];
  const { status, stdout, stderr } = await anyport(args, folder.path);
  expect(status, stderr).toBe(0);
  const { replay, notes } = JSON.parse(stdout) as Report;
  expect(replay?.replayed).toMatchObject({ sessions: 5, down: 5 * session.down });
  expect(notes[0]).toMatch(
    /^sessions for which it has no way .*: of anyport\.yaml on :443 begin as http and go to web/,
  );
  expect(notes[1]).toBe('sessions of these protocols open as another one: ssh 1, custom 1, none 1');
});

test('what has no line and no end is read until it is interrupted', async () => {
  const args = ['bench', '--record', path('endless'), '--log', '/dev/zero'];
  const program = spawn(process.execPath, [resolve('dist/cli/main.js'), ...args], { stdio: 'pipe' });
  const stderr = collect(program.stderr);
  await eventually('it reads', () => /^rchar: \d{9}/m.test(readFileSync(`/proc/${program.pid}/io`, 'utf8')));
  program.kill('SIGINT');
  expect(await within('its end', once(program, 'close'))).toEqual([1, null]);
  expect(stderr()).toMatch(/tells of no session/);
});

test('a pipe to which nobody has written yet is waited for until it is interrupted', async () => {
  execFileSync('mkfifo', [path('pipe')]);
  const args = ['bench', '--record', path('nothing'), '--log', path('pipe')];
  const program = spawn(process.execPath, [resolve('dist/cli/main.js'), ...args], { stdio: 'pipe' });
  const stderr = collect(program.stderr);
  await eventually('it waits', () => hasOpen(program.pid ?? 0, path('pipe')));
  program.kill('SIGINT');
  expect(await within('its end', once(program, 'close'))).toEqual([1, null]);
  expect(stderr()).toMatch(/tells of no session/);
});

test('a log that is followed is recorded for so long, though no more lines come', async () => {
  const program = spawn(
    process.execPath,
    [resolve('dist/cli/main.js'), 'bench', '--record', path('followed'), '--log', '-', '--duration', '1s'],
    { stdio: 'pipe' },
  );
  const stdout = collect(program.stdout);
  const line = { time: new Date().toISOString(), msg: 'session', listener: 'front', protocol: 'ssh' };
  const sizes = {
    opening_bytes: 20,
    bytes_up: 30,
    bytes_down: 40,
    duration_ms: 5,
    by: 'client',
    during: 'relay',
  };
  program.stdin.write(`${JSON.stringify({ ...line, ...sizes })}\n`);
  expect(await within('its end', once(program, 'close'))).toEqual([0, null]);
  expect(stdout()).toMatch(/followed: 1 session of /);
  expect(readRecording(readFileSync(path('followed'), 'utf8')).ok).toBe(true);
});

test.each(['SIGINT', 'SIGHUP'] as const)('a replay that %s ends leaves nothing behind', async (signal) => {
  const temporary = path(signal);
  mkdirSync(temporary);
  writeFileSync(path('hour'), recordingText({ span: 3_600_000, left_out: {}, sessions: [session] }));
  const child = spawn('bin/anyport', ['bench', '--replay', path('hour')], {
    env: { ...process.env, TMPDIR: temporary },
    stdio: 'ignore',
  });
  const ended = once(child, 'exit');
  await eventually('files of load and daemon', () => readdirSync(temporary).length === 2);
  child.kill(signal);
  expect(await ended).toEqual([signal === 'SIGINT' ? 130 : 129, null]);
  expect(readdirSync(temporary)).toEqual([]);
});

const head = '{"anyport_recording":1,"span":0,"left_out":{}}';
const wrong: readonly { why: string; options: BenchOptions; says: RegExp }[] = [
  {
    why: 'a recording with garbage',
    options: { replay: 'garbage' },
    says: /garbage:2:\d+: this is not JSON/,
  },
  { why: 'no recording', options: { replay: 'missing' }, says: /--replay .*missing: no such file/ },
  { why: 'a folder', options: { replay: '.' }, says: /--replay .*: it is no ordinary file/ },
  {
    why: 'a log without sessions',
    options: { record: 'out', log: 'garbage' },
    says: /no session .*logging.format/,
  },
  { why: 'no log', options: { record: 'out' }, says: /--record needs --log/ },
  {
    why: 'a speed that is none',
    options: { replay: 'x', speed: 'fast' },
    says: /--speed fast: give 0.01 to 1000/,
  },
  { why: 'a host alone', options: { host: 'a' }, says: /--host is for --config/ },
  { why: 'a speed alone', options: { speed: '2' }, says: /--speed is for --replay/ },
  {
    why: 'a load beside it',
    options: { replay: 'x', workload: 'conn' },
    says: /--workload is not for --replay/,
  },
  {
    why: 'a beginning without sessions',
    options: { replay: 'late', duration: '1s' },
    says: /no session begins in its first 1s/,
  },
  {
    why: 'rounds of it',
    options: { replay: 'x', rounds: '2' },
    says: /--rounds is not for --replay/,
  },
  { why: 'a listener alone', options: { listener: 'a' }, says: /--listener is for --config/ },
  {
    why: 'two at once',
    options: { record: 'x', log: 'x', replay: 'x' },
    says: /--replay is not for --record/,
  },
  { why: 'workers of a plan', options: { plan: '5/s', workers: '2' }, says: /--workers is not for --plan/ },
  {
    why: 'a page in a folder that is none',
    options: { html: 'no/x' },
    says: /--html .*: there is no folder/,
  },
  { why: 'figures over a folder', options: { json: '.' }, says: /--json .*: it is a folder: name a file/ },
  {
    why: 'a recording in place of its log',
    options: { record: 'lines', log: 'lines' },
    says: /that is the log/,
  },
  {
    why: 'a recording in place of a device',
    options: { record: 'device', log: 'lines' },
    says: /--record .*: it is a device, a pipe or a socket/,
  },
  { why: 'a day', options: { replay: 'long' }, says: /it takes 1 d: give a higher --speed, or --duration/ },
];
test.each(wrong)('bad usage: $why', async ({ options, says }) => {
  writeFileSync(path('garbage'), `${head}\nGET / HTTP/1.1\n`);
  const late = { span: 9000, left_out: {}, sessions: [{ ...session, at: 5000 }] };
  writeFileSync(path('late'), recordingText(late));
  writeFileSync(path('long'), recordingText({ span: 86_400_000, left_out: {}, sessions: [session] }));
  const files = Object.entries(options).map(([key, value]) => [
    key,
    ['replay', 'record', 'log', 'html', 'json'].includes(key) ? path(value) : value,
  ]);
  await expect(runBench(Object.fromEntries(files))).rejects.toThrow(says);
});

/** A contender with wrong answers gets no figure: the benchmark fails and reports what was wrong. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { measure, warmUpSessions } from '../../bench/system/measure.js';
import { type Workload, workloads } from '../../bench/system/workloads.js';
import { runProgram } from '../support/process.js';
import { echo, listenTcp, type Peer } from '../support/tcp.js';
import { type TempFolder, tempFolder } from '../support/temp.js';

let folder: TempFolder;
let client: string;

beforeAll(async () => {
  folder = tempFolder();
  client = `${folder.path}/client`;
  const args = ['-std=c++20', '-Inative', '-o', client, 'bench/system/load/client.cc'];
  expect(await runProgram('g++', args)).toMatchObject({ status: 0 });
});

afterAll(() => folder.remove());

const small = workloads(0.001);
const start = { cpuNanoseconds: 0, seconds: 0 };
const workload = (name: string): Workload => {
  const found = small.find((each) => each.name === name);
  if (!found) throw new Error(`no workload ${name}`);
  return found;
};

/** Replies to the first bytes of each connection, and repeats that reply later. */
const answer = (bytesFor: (asked: Buffer) => Buffer) => (peer: Peer) => {
  peer.socket.on('error', () => {});
  peer.socket.on('data', (asked: Buffer) => peer.send(bytesFor(asked)));
};

const pings = (change: (bytes: Buffer) => Buffer) => answer((asked) => change(Buffer.from(asked)));
const flip = (bytes: Buffer): Buffer => {
  bytes[40] = (bytes[40] as number) ^ 1;
  return bytes;
};

const failsWith = (name: string, serve: (peer: Peer) => void, message: RegExp): Promise<void> =>
  failsWithLoad(workload(name), serve, message);

async function failsWithLoad(load: Workload, serve: (peer: Peer) => void, message: RegExp): Promise<void> {
  const server = await listenTcp(serve);
  const contender = { name: 'wrong', port: server.port, pid: null, start, stop: async () => {} };
  await expect(measure([client], load, contender)).rejects.toThrow(message);
  await server.close();
}

describe.each(['ping-1', 'ping-64', 'idle'])('%s', (name) => {
  test('a changed byte', () => failsWith(name, pings(flip), /a ping came back changed/));
  test('a byte too many', () =>
    failsWith(
      name,
      pings((bytes) => Buffer.concat([bytes, Buffer.of(0)])),
      /came back changed|open and silent/,
    ));
  test('the end instead of an answer', () =>
    failsWith(name, (peer) => void peer.socket.once('data', () => peer.finish()), /a ping connection ended/));
});

describe('conn', () => {
  const fetched = (bytes: Buffer) => (peer: Peer) => {
    peer.socket.on('error', () => {});
    peer.socket.once('data', () => peer.send(bytes).finish());
  };
  test('other bytes', () => failsWith('conn', fetched(Buffer.alloc(128)), /a fetch brought other bytes/));
  test('too few', () => failsWith('conn', fetched(Buffer.alloc(0)), /a fetch ended early/));
});

test('other bytes than those of a hello', () =>
  failsWith('tls-sni', pings(flip), /a hello came back changed/));

test('a refused connection that is answered', () =>
  failsWith('refused', (peer) => void peer.send(Buffer.of(0)), /a refused connection was answered/));

test('a changed byte while other connections are held', () => {
  // Right at first, when the connections are opened.
  let right = 20;
  const change = (bytes: Buffer) => {
    right -= 1;
    return right >= 0 ? bytes : flip(bytes);
  };
  const few: Workload = { ...workload('held'), client: ['hold', 20, 4, 5], units: 20 };
  return failsWithLoad(few, pings(change), /a ping came back changed/);
});

describe('conn through a tunnel', () => {
  const granted = 'HTTP/1.1 200 Connection established\r\n\r\n';
  const TARGET = 9;
  const throughTunnel: Workload = { ...workload('conn'), client: ['fetch', 1, 1, 128, TARGET] };

  async function tunnelFailsWith(answers: readonly string[], message: RegExp): Promise<void> {
    const asked: string[] = [];
    const server = await listenTcp(({ socket }) => {
      socket
        .on('error', () => {})
        .on('data', (bytes: Buffer) => {
          asked.push(`${bytes}`.split(' ', 2).join(' '));
          socket.write(answers[asked.length - 1] ?? '');
        });
    });
    const contender = { name: 'wrong', port: server.port, pid: null, start, stop: async () => {} };
    await expect(measure([client], throughTunnel, contender)).rejects.toThrow(message);
    expect(asked).toEqual(['CONNECT 127.0.0.1:9', 'GET /128'].slice(0, answers.length));
    await server.close();
  }

  test('no tunnel', () => tunnelFailsWith(['HTTP/1.1 403 Forbidden\r\n\r\n'], /no tunnel/));
  test('other bytes', () => tunnelFailsWith([granted, '\0'.repeat(128)], /a fetch brought other bytes/));
});

describe.each(['flood-leave', 'flood-stay'])('%s', (name) => {
  test('an answer to bytes that decide nothing', () =>
    failsWith(name, pings(flip), /an opening was answered/));
});

test('an opening that is ended before its client leaves', () =>
  failsWith(
    'flood-leave',
    (peer) => void peer.socket.once('data', () => peer.finish()),
    /ended before it left/,
  ));

test('books that do not have every session', async () => {
  const server = await listenTcp((peer) => void peer.socket.once('data', () => peer.finish()));
  const right = { name: 'right', port: server.port, pid: null, start, stop: async () => {} };
  const stay = workload('flood-stay');
  const books = (ended: number) => {
    const answers = [5, 5 + ended];
    return async () => ({ ended: { identify_timeout: answers.shift() as number } });
  };
  await measure([client], stay, { ...right, books: books(stay.units) });
  const wrong = measure([client], stay, { ...right, books: books(stay.units - 1) });
  await expect(wrong).rejects.toThrow(/7 sessions ended as identify_timeout/);
  await server.close();
});

test('a held session that is closed meanwhile', () => {
  // The last one that is answered: the client has every answer when it sees that end.
  let left = warmUpSessions + workload('idle').units;
  const closesLast = (peer: Peer) => {
    peer.socket.on('error', () => {});
    peer.socket.once('data', (asked: Buffer) => {
      peer.send(asked);
      left -= 1;
      if (left === 0) peer.finish();
    });
  };
  return failsWith('idle', closesLast, /open and silent/);
});

test('right answers have a figure', async () => {
  const server = await listenTcp(echo);
  const contender = { name: 'right', port: server.port, pid: process.pid, start, stop: async () => {} };
  expect((await measure([client], workload('ping-1'), contender)).cost).toBeGreaterThan(0);
  await server.close();
});

/**
 * HTTP/2 and gRPC clients through the daemon. gRPC clients send nothing after SETTINGS until the server's SETTINGS
 * arrive, so a silence has to identify them.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon, type TestConfig } from '../support/daemon.js';
import { type AskGrpc, askWithNode, askWithPython, type GrpcServer, startGrpc } from '../support/grpc.js';
import { runProgram } from '../support/process.js';
import { type RealServer, startH2c } from '../support/servers.js';
import { dial, listenTcp } from '../support/tcp.js';
import { describeWith } from '../support/tools.js';

let daemon: Daemon | undefined;
let server: GrpcServer;

beforeEach(async () => {
  server = await startGrpc();
});

afterEach(async () => {
  await daemon?.stop();
  daemon = undefined;
  await server.stop();
});

/** Longer than the clients' own timeouts: no test passes because identification timed out. */
const patient = { identify_timeout: '60s' };

const messages = ['one', 'two', 'three'];

const configurations: { why: string; config: (target: string) => TestConfig; protocol: string }[] = [
  {
    why: 'grpc alone',
    config: (target) => ({ protocols: [{ name: 'gRPC', target }] }),
    protocol: 'grpc',
  },
  {
    why: 'http2 alone',
    config: (target) => ({ protocols: [{ name: 'HTTP2', target }] }),
    protocol: 'http2',
  },
  {
    why: 'both, and no more can be said than that it is http2',
    config: (target) => ({
      protocols: [
        { name: 'gRPC', target },
        { name: 'HTTP2', target },
      ],
    }),
    protocol: 'http2',
  },
  {
    why: 'a route by protocol',
    config: (target) => ({
      protocols: [{ name: 'gRPC' }, { name: 'SSH', target }],
      routes: [{ when: { protocol: 'gRPC' }, to: 'echo' }],
      upstreams: { echo: { endpoints: [target] } },
    }),
    protocol: 'grpc',
  },
];

function serves(ask: AskGrpc): void {
  test.each(configurations)('$why', async ({ config, protocol }) => {
    daemon = await startDaemon({ server: patient, ...config(server.target) });
    expect(await ask(`127.0.0.1:${daemon.port}`, messages)).toEqual([...messages, ...messages]);
    const lines = await daemon.ended(1);
    expect(lines.map((line) => line.protocol)).toEqual([protocol]);
  });
}

describe('grpc-js, unary and streaming', () => serves(askWithNode));

describeWith('/usr/bin/python3', '/usr/lib/python3/dist-packages/grpc')('grpcio, unary and streaming', () =>
  serves(askWithPython),
);

describeWith('curl', 'nginx')('curl with prior knowledge, which does not wait', () => {
  let nginx: RealServer;
  beforeEach(async () => {
    nginx = await startH2c();
  });
  afterEach(() => nginx.stop());

  test.each([['HTTP2'], ['gRPC', 'HTTP2']])('%s', async (...names) => {
    daemon = await startDaemon({
      server: patient,
      protocols: names.map((name) => ({ name, target: nginx.target })),
    });
    const url = `http://127.0.0.1:${daemon.port}/index.html`;
    const { stdout } = await runProgram('curl', [
      '-s',
      '--http2-prior-knowledge',
      '-w',
      '%{http_version}',
      url,
    ]);
    expect(stdout).toBe('served by nginx\n2');
    expect((await daemon.ended(1))[0]).toMatchObject({ protocol: 'http2', reason: 'done' });
  });
});

test('bytes that come before the silence is over count, and the next silence as well', async () => {
  const [grpc, http2] = [await listenTcp(), await listenTcp()];
  daemon = await startDaemon({
    server: patient,
    protocols: [
      { name: 'gRPC', target: grpc.target },
      { name: 'HTTP2', target: http2.target },
    ],
  });
  const opening = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'latin1');
  const request = '000013010400000001 0f10106170706c69636174696f6e2f67727063';
  const whole = Buffer.concat([opening, Buffer.from(request.replace(' ', ''), 'hex')]);
  // Half a frame behind SETTINGS: the client is slow, not silent.
  const slow = (await dial(daemon.port)).send(whole.subarray(0, opening.length + 12));
  const waiting = (await dial(daemon.port)).send(opening);
  const first = await http2.peer(0);
  expect(await first.bytes(opening.length)).toEqual(opening);
  slow.send(whole.subarray(opening.length + 12));
  const second = await grpc.peer(0);
  expect(await second.bytes(whole.length)).toEqual(whole);
  expect(http2.peers).toHaveLength(1);
  for (const client of [slow, waiting]) client.reset();
  await Promise.all([grpc.close(), http2.close()]);
});

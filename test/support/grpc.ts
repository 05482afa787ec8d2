/** A real gRPC service and its clients: grpc-js, and grpcio of Debian's Python. Bytes go in, the same bytes come out. */
import { resolve } from 'node:path';
import { freePort } from './ports.js';
import { runProgram, startProgram } from './process.js';

const program = resolve('test/support/grpc-echo.mjs');

export interface GrpcServer {
  readonly target: string;
  stop(): Promise<void>;
}

export async function startGrpc(): Promise<GrpcServer> {
  const port = await freePort();
  const target = `127.0.0.1:${port}`;
  const { stop } = await startProgram(process.execPath, [program, 'serve', target], port);
  return { target, stop };
}

/** Echo results: each message alone, then all in one stream. */
export type AskGrpc = (target: string, messages: readonly string[]) => Promise<string[]>;

export const askWithNode: AskGrpc = (target, messages) =>
  answersOf(process.execPath, [program, 'ask', target, JSON.stringify(messages)]);

const script = `
import json, sys, grpc
target, messages = sys.argv[1], [m.encode() for m in json.loads(sys.argv[2])]
with grpc.insecure_channel(target) as channel:
    one = channel.unary_unary('/echo.Echo/Unary')
    answers = [one(m, timeout=25) for m in messages]
    answers += channel.stream_stream('/echo.Echo/Stream')(iter(messages), timeout=25)
print(json.dumps([a.decode() for a in answers]))
`;

/** Debian's interpreter: another Python on PATH lacks the packages. */
export const askWithPython: AskGrpc = (target, messages) =>
  answersOf('/usr/bin/python3', ['-c', script, target, JSON.stringify(messages)]);

async function answersOf(command: string, args: readonly string[]): Promise<string[]> {
  const { status, stdout, stderr } = await runProgram(command, args);
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as string[];
}

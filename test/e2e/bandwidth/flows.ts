/** Endless flows of bytes through the daemon, and how fast they are. */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { redisPing } from '../../support/flights.js';
import type { Peer } from '../../support/tcp.js';

const PIECE = Buffer.alloc(64 * 1024, 'f');

/** Writes as much as is taken, until the socket closes. */
export function pump(socket: Socket): void {
  const write = () => {
    while (socket.writable && socket.write(PIECE));
  };
  socket.on('drain', write);
  socket.on('error', () => {});
  write();
}

/** An endpoint that sends endlessly, and one that only counts. */
export const source = ({ socket }: Peer): void => pump(socket);

export interface Flow {
  /** Bytes that came so far. */
  readonly bytes: () => number;
  readonly sinceMs: number;
  stop(): void;
}

/** A client that begins as Redis and reads; its time begins before anything can come. */
export function download(port: number, from = '127.0.0.1'): Flow {
  let bytes = 0;
  const sinceMs = performance.now();
  const socket = connect({
    port,
    host: '127.0.0.1',
    localAddress: from,
    onread: {
      buffer: Buffer.alloc(256 * 1024),
      callback(length) {
        bytes += length;
        return true;
      },
    },
  });
  socket.on('error', () => {});
  socket.write(redisPing);
  return { bytes: () => bytes, sinceMs, stop: () => socket.destroy() };
}

const WINDOW_MS = 5_000;
/** A machine that is busy with something else may need several windows to show what the limit is. */
const WINDOWS_MAX = 10;

/** What flows together reach of a rate: 1 is what was asked for. */
export interface Reached {
  /** Since they began: never too much. */
  readonly inAll: number;
  /** In the window of 5 s that came nearest to it. */
  readonly best: number;
}

export async function reached(flows: readonly Flow[], rate: number, tolerance = 0.03): Promise<Reached> {
  const sum = () => flows.reduce((bytes, flow) => bytes + flow.bytes(), 0);
  let fromMs = Math.min(...flows.map(({ sinceMs }) => sinceMs));
  const sinceMs = fromMs;
  const shareSince = (bytes: number, ms: number) => bytes / ((performance.now() - ms) / 1000) / rate;
  let best = 0;
  for (let windows = 0, from = 0; windows < WINDOWS_MAX && best < 1 - tolerance; windows += 1) {
    await sleep(fromMs + WINDOW_MS - performance.now());
    const share = shareSince(sum() - from, fromMs);
    if (Math.abs(share - 1) < Math.abs(best - 1)) best = share;
    [from, fromMs] = [sum(), performance.now()];
  }
  return { inAll: shareSince(sum(), sinceMs), best };
}

/**
 * Free ports below the ephemeral range: a crowd of clients can not take one before a server binds it. Each parallel
 * vitest process has its own share.
 */
import { randomInt } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

const FIRST = 10_000;
const END = 32_768;
/** Upper bound on parallel test files. */
export const portShares = 16;
const SHARE = Math.floor((END - FIRST) / portShares);

/** Vitest numbers the processes that run at the same time from 1. */
const first = FIRST + (Number(process.env.VITEST_POOL_ID ?? 0) % portShares) * SHARE;

/** Blocked by `fetch`, as in browsers. */
const NOT_FETCHED = 10_080;

const given = new Set<number>();

export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(first, first + SHARE);
    if (given.has(port) || port === NOT_FETCHED) continue;
    // Reserved before the probe: another call may run meanwhile.
    given.add(port);
    if (await isFree(port)) return port;
  }
}

/** The first of `count` free ports in a row. */
export async function freePorts(count: number): Promise<number> {
  for (;;) {
    const start = randomInt(first, first + SHARE - count);
    const row = Array.from({ length: count }, (_, index) => start + index);
    if (row.some((port) => given.has(port) || port === NOT_FETCHED)) continue;
    for (const port of row) given.add(port);
    const free = await Promise.all(row.map(isFree));
    if (free.every(Boolean)) return start;
  }
}

/** For streams and for datagrams. */
async function isFree(port: number): Promise<boolean> {
  return (await isFreeFor(createServer().listen(port, '127.0.0.1'))) && (await isFreeFor(datagrams(port)));
}

function datagrams(port: number): Socket {
  const socket = createSocket('udp4');
  socket.bind(port, '127.0.0.1');
  return socket;
}

async function isFreeFor(opening: Server | Socket): Promise<boolean> {
  try {
    await once(opening, 'listening');
  } catch {
    return false;
  }
  opening.close();
  await once(opening, 'close');
  return true;
}

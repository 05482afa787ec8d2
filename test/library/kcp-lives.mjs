// Opens connections over KCP and ends them, again and again; prints what the process holds after each round.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectKcp, createKcpServer } from '../../dist/index.js';

const { rounds, connections } = JSON.parse(process.argv[2]);
const secret = 'a long and random secret';

/** Garbage is not what is measured. */
async function heldBytes() {
  let least = Number.POSITIVE_INFINITY;
  for (let look = 0; look < 6; look += 1) {
    globalThis.gc();
    await sleep(20);
    const kilobytes = /^RssAnon:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))[1];
    const { heapTotal, heapUsed } = process.memoryUsage();
    // Without the pages that V8 keeps empty.
    least = Math.min(least, Number(kilobytes) * 1024 - heapTotal + heapUsed);
  }
  return least;
}

const server = createKcpServer({ secret }, (socket) => socket.on('error', () => {}).pipe(socket));
const { port } = await server.listen('127.0.0.1:0');

async function echoed() {
  const socket = await connectKcp({ host: '127.0.0.1', port, secret, timeout: '60s' });
  socket.write('x'.repeat(10_000));
  let received = 0;
  for await (const part of socket) {
    received += part.length;
    if (received === 10_000) break; // leaves by a reset
  }
}

/** All are there at once. */
async function round() {
  await Promise.all(Array.from({ length: connections }, echoed));
  while (server.sockets.length > 0) await sleep(10);
}

const held = [];
for (let n = 0; n < rounds; n += 1) {
  await round();
  held.push(await heldBytes());
}
await server.close();
console.log(JSON.stringify(held));

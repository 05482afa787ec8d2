// Changes an instance many times over, and prints what the heap holds per change once nothing is garbage any more.
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createAnyport } from '../../dist/index.js';

const { first, changes, stays, restMs } = JSON.parse(process.argv[2]);

/** Names come and go, but none is new after the first round: ids and counters are kept for ever. */
const optionsOf = (n) => ({
  workers: 0,
  logging: { accessLogRate: 100 + (n % 50) },
  protocols: [
    { name: 'echo', handler: 'builtin:echo', startBytes: ['ee'] },
    ...Array.from({ length: n % 7 }, (_, index) => ({
      name: `custom${index}`,
      startBytes: [`ad${((n + index) % 10).toString(16).padStart(4, '0')}`],
      target: '127.0.0.1:1',
    })),
  ],
  routes: Array.from({ length: n % 9 }, (_, index) => ({
    when: { protocol: 'echo', source: `10.0.${index}.0/24` },
    to: 'close',
  })),
});

async function openSession({ address }) {
  const socket = connect(address.port, '127.0.0.1');
  socket.write(Buffer.of(0xee));
  await once(socket, 'data');
  return socket;
}

function heldBytes() {
  for (let round = 0; round < 4; round += 1) globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** The least of several looks: Plans that no session uses are dropped some seconds later. */
async function settled() {
  let least = heldBytes();
  const until = performance.now() + restMs;
  while (performance.now() < until) {
    await sleep(250);
    least = Math.min(least, heldBytes());
  }
  return least;
}

const plex = createAnyport(optionsOf(0));
await plex.listen('127.0.0.1:0');
const sockets = [];
const listeners = plex.config.listeners;
async function change(from, to) {
  for (let n = from; n < to; n += 1) {
    await plex.updateConfig({ ...optionsOf(n), listeners });
    if (stays) sockets.push(await openSession(plex));
  }
}
await change(1, first);
const before = await settled();
await change(first, first + changes);
const after = await settled();
for (const socket of sockets) socket.destroy();
await plex.close({ drain: 0 });
console.log(JSON.stringify({ bytesPerChange: (after - before) / changes }));

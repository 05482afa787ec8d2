// Opens and closes instances, each with a session, and prints what the process holds before and after each part.
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createAnyport, protocols } from '../../dist/index.js';

const { lives, workers, handler } = JSON.parse(process.argv[2]);
const PARTS = 5;

function held() {
  const status = readFileSync('/proc/self/status', 'utf8');
  const number = (key) => Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(status)[1]);
  return {
    files: readdirSync('/proc/self/fd').length,
    threads: number('Threads'),
    rssMiB: Math.round(number('VmRSS') / 1024),
    virtualMiB: Math.round(number('VmSize') / 1024),
    resources: process.getActiveResourcesInfo().length,
  };
}

/** The least of several looks: garbage is not what is measured, and the memory of the last instance goes when its threads do. */
async function settled() {
  const looks = [];
  for (let round = 0; round < 12; round++) {
    globalThis.gc();
    await sleep(50);
    looks.push(held());
  }
  const least = (key) => Math.min(...looks.map((look) => look[key]));
  return { ...looks.at(-1), rssMiB: least('rssMiB'), virtualMiB: least('virtualMiB') };
}

async function live() {
  const plex = createAnyport({ workers });
  plex.on('configChange', () => {});
  void plex.addProtocol(protocols.ssh({ handler: handler ?? ((socket) => void socket.end('SSH-2.0-x')) }));
  await plex.listen('127.0.0.1:0');
  await plex.addProtocol(protocols.http({ target: '127.0.0.1:1' }));
  const socket = connect(plex.address.port, '127.0.0.1');
  socket.write('SSH-2.0-client\r\n');
  await once(socket, 'data');
  socket.destroy();
  if (plex.metrics().acceptedConnections !== 1) throw new Error('not accepted');
  await plex.close({ drain: 0 });
}

async function manyLives(count) {
  for (let each = 0; each < count; each++) await live();
}

await manyLives(Math.ceil(lives / PARTS)); // whatever is made once
const looks = [await settled()];
for (let part = 0; part < PARTS; part++) {
  await manyLives(Math.ceil(lives / PARTS));
  looks.push(await settled());
}
console.log(JSON.stringify(looks));

/**
 * One end of a connection, in the process of the test or in one of its own, which can be killed:
 * `node end.mjs connect|listen ADDRESS BYTES reads|leaves`. Says `ready` when its bytes are with the kernel.
 */
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

export const OPENING = 'a';

const isPort = (address) => /^\d+$/.test(address);
const placeOf = (address) =>
  isPort(address) ? { port: Number(address), host: '127.0.0.1' } : { path: address };

/** A client that has sent the opening and reads nothing until it is resumed. */
export async function connectTo(address) {
  const socket = connect({ ...placeOf(address), allowHalfOpen: true }).pause();
  await once(socket, 'connect');
  socket.on('error', () => {});
  socket.write(OPENING);
  return socket;
}

/** Listens; `accepted` is the first connection, which reads nothing until it is resumed. */
export async function listenAt(address, listening = () => {}) {
  if (!isPort(address)) rmSync(address, { force: true });
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
  const accepted = once(server, 'connection').then(([socket]) => {
    server.close();
    return socket.on('error', () => {});
  });
  server.listen(placeOf(address));
  await once(server, 'listening');
  listening();
  return accepted;
}

/** Resolves when the kernel has all. */
export const write = (socket, bytes) =>
  bytes === 0
    ? Promise.resolve()
    : new Promise((resolve) => socket.write(Buffer.alloc(bytes, 'x'), () => resolve()));

async function main([role, address, bytes, reads]) {
  const listening = () => console.log('listening');
  const end = role === 'connect' ? await connectTo(address) : await listenAt(address, listening);
  setInterval(() => {}, 60_000); // a socket that is not read keeps no process
  if (reads === 'reads') end.on('data', () => {}).resume();
  await write(end, Number(bytes));
  console.log('ready');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.slice(2));

/** Large transfers through tunnels, compared by hash: 64 MiB each way, 2 GiB with `ANYPORT_SOAK=1`. */
import { createHash, type Hash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { whole } from '../../soak/soak.js';
import { answerTo, connectHead } from '../../support/proxy-clients.js';
import { dial, type Peer } from '../../support/tcp.js';
import { useStage } from './stage.js';

const stage = useStage();

const MIB = 1024 * 1024;
const SIZE = (whole ? 2048 : 64) * MIB;
/** No divisor of what buffers and pipes hold. */
const BLOCK = randomBytes(MIB - 7);

/** Sends `SIZE` bytes, no faster than they are taken, and FIN; returns their hash. */
async function pour({ socket }: Peer): Promise<string> {
  const hash = createHash('sha256');
  for (let left = SIZE; left > 0; left -= BLOCK.length) {
    const block = BLOCK.subarray(0, Math.min(left, BLOCK.length));
    hash.update(block);
    if (!socket.write(block)) await once(socket, 'drain');
  }
  socket.end();
  return hash.digest('hex');
}

/** Hashes what comes from now on, instead of keeping it. */
function hashing({ socket }: Peer): Hash {
  const hash = createHash('sha256');
  socket.removeAllListeners('data');
  socket.on('data', (chunk: Buffer) => void hash.update(chunk));
  return hash;
}

test('there and back at once: every byte, and both ends', async () => {
  let up: Hash | undefined;
  let down: Promise<string> | undefined;
  const server = await stage.server((peer) => {
    up = hashing(peer);
    down = pour(peer);
  });
  const daemon = await stage.proxy();
  const client = await dial(daemon.port);
  client.send(connectHead(server.target));
  const { length, status } = await answerTo(client);
  expect(status).toBe(200);
  const early = client.received.subarray(length);
  const received = hashing(client).update(early);
  const sent = await pour(client);
  const peer = await server.peer(0);
  expect([await client.end(), await peer.end()]).toEqual(['fin', 'fin']);
  expect(up?.digest('hex')).toBe(sent);
  expect(received.digest('hex')).toBe(await down);
  const line = await daemon.sessionOf(client);
  expect(line).toMatchObject({ reason: 'done', bytes_up: SIZE, bytes_down: SIZE });
});

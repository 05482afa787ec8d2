/** A handler that gives up half an answer. The third byte of a session says how. */
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const source = async function* source() {
  yield 'half';
  throw new Error('a defect');
};

const ways = {
  timer: (socket) => setTimeout(() => socket.destroy(new Error('a defect')), 20),
  tick: (socket) => process.nextTick(() => socket.destroy(new Error('a defect'))),
  now: (socket) => socket.destroy(new Error('a defect')),
  reset: (socket) => socket.resetAndDestroy(),
  pipe: (socket) => pipeline(Readable.from(source()), socket),
  pipeUnheard: (socket) =>
    void Readable.from(source())
      .on('error', (error) => socket.destroy(error))
      .pipe(socket),
};

export default async function breaks(socket) {
  const [first] = await once(socket, 'data');
  socket.write('half');
  await ways[first.toString().slice(2)](socket);
}

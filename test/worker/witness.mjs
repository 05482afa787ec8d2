/**
 * A handler that writes down what its socket tells it, in `globalThis.witnessed`. The third byte of a session says how
 * it reads: `f` flowing, `s` slowly, `i` by iterating, `p` in a pipeline, `l` late (when `read` is called), `e` flowing
 * after it has ended its own side.
 */
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const STEP_MS = 10;

globalThis.witnessed = [];

export default function witness(socket) {
  const seen = { bytes: 0, told: [] };
  globalThis.witnessed.push(seen);
  const count = (chunk) => {
    seen.bytes += chunk.length;
  };
  socket.on('end', () => seen.told.push('end'));
  socket.on('error', ({ code }) => seen.told.push(code));
  socket.once('data', (first) => {
    count(first);
    const how = String.fromCharCode(first[2]);
    if (how === 'i') return void iterate(socket, count);
    if (how === 'e') socket.end('enough');
    if (how === 'p') return void pipe(socket, count);
    if (how === 'l') {
      socket.pause();
      seen.read = () => socket.on('data', count).resume();
      return;
    }
    if (how === 's') return readSlowly(socket, count);
    socket.on('data', count);
  });
}

async function pipe(socket, count) {
  const sink = new Writable({
    write(chunk, _, done) {
      count(chunk);
      done();
    },
  });
  await pipeline(socket, sink).catch(() => {}); // told by the event
}

async function iterate(socket, count) {
  try {
    for await (const chunk of socket) count(chunk);
  } catch {
    // told by the event
  }
}

function readSlowly(socket, count) {
  socket.pause();
  const step = setInterval(() => {
    const chunk = socket.read();
    if (chunk !== null) count(chunk);
  }, STEP_MS);
  socket.on('close', () => clearInterval(step));
}

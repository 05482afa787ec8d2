/**
 * Requests and answers in turn, without ever holding many: nothing is answered and nothing is read while the client
 * does not take what it was answered.
 */
import type { Duplex } from 'node:stream';

/** Time for a client to hear the last answer and go, when it is not the one who ends. */
const LINGER_MS = 1000;

export interface Speaker {
  /** Bytes of the client. Not called again before `next` has said null. */
  push(chunk: Buffer): void;
  /** The answer to one more request; null: no whole one is left. */
  next(): Buffer | null;
  /** Nothing more will be answered. */
  readonly over: boolean;
}

/** Returns a way to have the speaker asked again, when it has something to say of its own accord. */
export function converse(socket: Duplex, speaker: Speaker): () => void {
  let finished = false;
  let closed = false;

  function answer(): void {
    if (closed) return;
    // Small answers leave together, up to the socket's high-water mark.
    socket.cork();
    while (!speaker.over && !socket.writableNeedDrain) {
      const bytes = speaker.next();
      if (bytes === null) break;
      socket.write(bytes);
    }
    socket.uncork();
    if (speaker.over) close();
    else if (socket.writableNeedDrain) socket.pause();
    else if (finished) socket.end();
    else socket.resume();
  }

  /** What the client still sends is read and dropped: unread, it would turn the end into a reset. */
  function close(): void {
    closed = true;
    socket.end();
    socket.resume();
    const timer = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once('close', () => clearTimeout(timer));
  }

  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    if (closed) return;
    speaker.push(chunk);
    answer();
  });
  socket.on('drain', answer);
  socket.on('end', () => {
    finished = true;
    answer();
  });
  return answer;
}

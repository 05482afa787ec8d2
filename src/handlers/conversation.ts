/**
 * Request/reply loop with back-pressure: while the client does not read its replies, no request is answered and
 * nothing more is read.
 */
import type { Duplex } from 'node:stream';

/** Linger after the last reply: time for the client to read it and close, before the socket is destroyed. */
const LINGER_MS = 1000;

export interface Speaker {
  /** Bytes from the client. Called again only after `next` has returned null. */
  push(chunk: Buffer): void;
  /** The reply to the next request; null: no complete request is buffered. */
  next(): Buffer | null;
  /** No further replies; close after the last one. */
  readonly over: boolean;
}

/** Returns a wake-up: asks the speaker for a reply that no new bytes trigger (a timeout). */
export function converse(socket: Duplex, speaker: Speaker): () => void {
  let finished = false;
  let closed = false;

  function answer(): void {
    if (closed) return;
    // Coalesces small replies, up to the high-water mark.
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

  /** Drains and drops further input: closing with unread bytes would send RST and could destroy the last reply. */
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

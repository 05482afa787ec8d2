/**
 * A session served in this process: the engine relays it to one end of a socket pair, the handler has the other.
 * So timeouts, half-close, back-pressure and accounting are those of any session.
 */
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { describeFailure, type FailureFields } from '../base/failure.js';
import type { Handler, HandlerSession } from '../handlers/index.js';
import type { Reason } from '../model/session.js';

/** Time for a handler to read what came before its session was cut short. */
export const READ_OUT_MS_MAX = 30_000;

/** A session that a handler serves, for as long as it is relayed. */
export interface Served {
  /** The session has ended: what the handler has yet to read is followed by an error, unless both ends had finished. */
  ended(reason: Reason): void;
}

/** `fd` becomes the handler's socket. `failed` is told what the handler throws at once, or rejects with later. */
export function serve(
  fd: number,
  handler: Handler,
  session: HandlerSession,
  failed: (failure: FailureFields) => void,
): Served {
  let socket: Socket | undefined;
  let cutShort: ((reason: Reason) => void) | undefined;
  const run = async (): Promise<void> => {
    try {
      socket = socketOf(fd);
      cutShort = tellEndsOf(socket);
      // The client's end may be reset at any time: that is no reason to bring the worker down.
      socket.on('error', () => socket?.destroy());
      await handler(socket, session);
    } catch (thrown) {
      failed(describeFailure(thrown));
      // After the engine has ended the session, which resets the client: closed before, this end would be a FIN.
      setImmediate(() => socket?.destroy());
    }
  };
  void run();
  return { ended: (reason) => reason !== 'done' && cutShort?.(reason) };
}

function socketOf(fd: number): Socket {
  try {
    return new Socket({ fd, readable: true, writable: true, allowHalfOpen: true });
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/**
 * A socket pair knows no reset: when the engine closes its end, half an upload would read as a whole one. But the engine
 * says that a session was cut short before libuv can see the end of its bytes, so that end becomes an error: after
 * the last byte that had come, as on TCP. Returns what is to be called then.
 */
function tellEndsOf(socket: Socket): (reason: Reason) => void {
  let error: Error | undefined;
  let drained = false;
  const tell = (): void => {
    if (error !== undefined && drained && socket.readableLength === 0) socket.destroy(error);
  };
  const { push, read } = socket;
  socket.push = (chunk, encoding) => {
    if (chunk !== null) return push.call(socket, chunk, encoding);
    drained = true;
    if (error === undefined) return push.call(socket, null);
    tell();
    return false;
  };
  socket.read = (size) => {
    const chunk: unknown = read.call(socket, size);
    tell();
    return chunk;
  };
  return (reason) => {
    if (socket.destroyed) return;
    error = Object.assign(new Error(`the session was cut short: ${reason}`), { code: 'ECONNRESET' });
    const late = setTimeout(() => socket.destroy(error), READ_OUT_MS_MAX).unref();
    socket.once('close', () => clearTimeout(late));
    tell();
  };
}

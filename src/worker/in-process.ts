/**
 * A session served by an in-process handler: the engine relays it to one end of a socket pair, the handler has the
 * other. Timeouts, half-close, back-pressure and accounting are therefore those of any session.
 */
import { once } from 'node:events';
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { describeFailure, type FailureFields } from '../base/failure.js';
import type { Handler, HandlerSession } from '../handlers/index.js';
import type { Reason } from '../model/session.js';

/** Upper bound on the time a handler has to read the remaining bytes after its session was cut short. */
export const READ_OUT_MS_MAX = 30_000;

/** A session being served by a handler. */
export interface Served {
  /** The session has ended: unread bytes are followed by an error, unless both ends had finished. */
  ended(reason: Reason): void;
  /** Resolves when the handler's promise has settled and its socket is closed. */
  readonly finished: Promise<unknown>;
}

/** How a handler failed. */
export interface HandlerFailure extends FailureFields {
  /** Its socket is closed already, which would pass for a FIN: the session must be reset before the next event. */
  readonly isUrgent: boolean;
}

/** `fd` becomes the handler's socket. `failed` is called at most once, and not after the end of the session. */
export function serve(
  fd: number,
  handler: Handler,
  session: HandlerSession,
  failed: (failure: HandlerFailure) => void,
): Served {
  let socket: Socket | undefined;
  let cutShort: ((reason: Reason) => void) | undefined;
  let isOver = false;
  const fail = (thrown: unknown, isUrgent: boolean): void => {
    if (isOver) return;
    isOver = true;
    failed({ ...describeFailure(thrown), isUrgent });
  };
  const run = async (): Promise<void> => {
    try {
      socket = socketOf(fd);
      cutShort = tellEndsOf(socket);
      // An unhandled 'error' event would end the worker: the client may reset at any time. Before the end of the
      // session it is the handler's own: `destroy(error)`, or a pipeline whose other end failed.
      socket.on('error', (error) => {
        if (socket && !isEndOfIteration(socket, error)) fail(error, true);
        socket?.destroy();
      });
      await handler(socket, session);
    } catch (thrown) {
      fail(thrown, false);
      // Only after the engine has ended the session with RST: closing this end first would be relayed as FIN.
      setImmediate(() => socket?.destroy());
    }
  };
  const settled = run();
  const closed = socket && once(socket, 'close');
  return {
    finished: Promise.allSettled([settled, closed]),
    ended(reason) {
      isOver = true;
      if (reason !== 'done') cutShort?.(reason);
      if (socket !== undefined && isLeft(socket)) socket.destroy();
    },
  };
}

/** Its handler has finished without reading: what is left would keep the descriptor open for ever. */
const isLeft = ({ writableEnded, readableFlowing }: Socket): boolean =>
  writableEnded && readableFlowing === null;

/** Node destroys a socket that was read to its end by `for await`: a close, with what was written before. */
const isEndOfIteration = (socket: Socket, error: Error): boolean =>
  socket.readableEnded && (error as NodeJS.ErrnoException).code === 'ABORT_ERR';

function socketOf(fd: number): Socket {
  try {
    return new Socket({ fd, readable: true, writable: true, allowHalfOpen: true });
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/**
 * A socket pair has no RST: when the engine closes its end, half an upload would look complete. The engine reports the
 * end of a session before libuv can see the end of input, so this turns that end into an error, after the last byte, as
 * on TCP. Returns the function to call with the reason.
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

/**
 * A session served in this process: the engine relays it to one end of a socket pair, the handler has the other.
 * So timeouts, half-close, back-pressure and accounting are those of any session.
 */
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Handler, HandlerSession } from '../handlers/index.js';

/** `fd` becomes the handler's socket. `failed` is told what the handler throws at once, or rejects with later. */
export function serve(
  fd: number,
  handler: Handler,
  session: HandlerSession,
  failed: (error: unknown) => void,
): void {
  let socket: Socket | undefined;
  const fail = (error: unknown): void => {
    failed(error);
    socket?.destroy();
  };
  try {
    socket = socketOf(fd);
    // The client's end may be reset at any time: that is no reason to bring the worker down.
    socket.on('error', () => socket?.destroy());
    Promise.resolve(handler(socket, session)).catch(fail);
  } catch (error) {
    fail(error);
  }
}

function socketOf(fd: number): Socket {
  try {
    return new Socket({ fd, readable: true, writable: true, allowHalfOpen: true });
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

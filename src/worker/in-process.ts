/**
 * A session served in this process: the engine relays it to one end of a socket pair, the handler has the other.
 * So timeouts, half-close, back-pressure and accounting are those of any session.
 */
import { Socket } from 'node:net';
import type { Handler, HandlerSession } from '../handlers/index.js';

export type Served = { readonly ok: true } | { readonly ok: false; readonly error: unknown };

/** `fd` becomes the handler's socket. */
export function serve(fd: number, handler: Handler, session: HandlerSession): Served {
  const socket = new Socket({ fd, readable: true, writable: true, allowHalfOpen: true });
  // The client's end may be reset at any time: that is no reason to bring the worker down.
  socket.on('error', () => socket.destroy());
  try {
    handler(socket, session);
    return { ok: true };
  } catch (error) {
    socket.destroy();
    return { ok: false, error };
  }
}

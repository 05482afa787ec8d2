/**
 * A session served in this process: the engine relays it to one end of a socket pair, the handler has the other.
 * So timeouts, half-close, back-pressure and accounting are those of any session.
 */
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { describeFailure, type FailureFields } from '../base/failure.js';
import type { Handler, HandlerSession } from '../handlers/index.js';

/** `fd` becomes the handler's socket. `failed` is told what the handler throws at once, or rejects with later. */
export async function serve(
  fd: number,
  handler: Handler,
  session: HandlerSession,
  failed: (failure: FailureFields) => void,
): Promise<void> {
  let socket: Socket | undefined;
  try {
    socket = socketOf(fd);
    // The client's end may be reset at any time: that is no reason to bring the worker down.
    socket.on('error', () => socket?.destroy());
    await handler(socket, session);
  } catch (thrown) {
    failed(describeFailure(thrown));
    // After the engine has ended the session, which resets the client: closed before, this end would be a FIN.
    setImmediate(() => socket?.destroy());
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

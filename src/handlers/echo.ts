/** Echo (RFC 862), with back-pressure; half-closes when the client does. */
import type { Handler } from './handler.js';

export const echo: Handler = (socket) => {
  socket.on('error', () => socket.destroy());
  socket.pipe(socket);
};

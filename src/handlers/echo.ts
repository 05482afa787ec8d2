/** Says back what it hears, no faster than it is read (RFC 862), and ends when the client does. */
import type { Handler } from './handler.js';

export const echo: Handler = (socket) => {
  socket.on('error', () => socket.destroy());
  socket.pipe(socket);
};

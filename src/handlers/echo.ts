/** Echo (RFC 862): of streams with back-pressure, half-closing when the client does; of datagrams one by one. */
import type { Socket as DatagramSocket } from 'node:dgram';
import type { Duplex } from 'node:stream';
import { datagramHandler, type Handler } from './handler.js';

export const echo: Handler = (socket, session) =>
  session.transport === 'udp' ? datagrams(socket, session) : stream(socket);

function stream(socket: Duplex): void {
  socket.on('error', () => socket.destroy());
  socket.pipe(socket);
}

const datagrams = datagramHandler((socket: DatagramSocket) => {
  socket.on('message', (bytes) => socket.send(bytes));
});

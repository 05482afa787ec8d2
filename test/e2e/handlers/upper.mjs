/** A handler that answers in capitals and says what it was told of the session. */
export default function upper(socket, session) {
  socket.on('data', (bytes) => socket.write(bytes.toString('latin1').toUpperCase()));
  socket.on('end', () => socket.end(`\n${session.protocol} on ${session.listener}`));
  socket.on('error', () => {});
}

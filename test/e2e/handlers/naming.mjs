/** A handler that tells its client the id of the session, and stays. */
export default function naming(socket, session) {
  socket.once('data', () => socket.write(session.id));
}

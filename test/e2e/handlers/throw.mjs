/** A handler with a defect: its worker thread does not survive the first bytes. */
export default function fail(socket) {
  socket.on('data', () => {
    throw new Error('a defect');
  });
}

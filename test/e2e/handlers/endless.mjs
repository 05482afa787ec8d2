/** Sends for as long as it is read. */
const piece = Buffer.alloc(65_536, 'e');

export default (socket) => {
  const write = () => {
    while (socket.writable && socket.write(piece));
  };
  socket.on('drain', write);
  socket.resume();
  write();
};

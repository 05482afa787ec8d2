// Echoes, unless it is told to bring its worker thread down, or to hold it up.
export default function restless(socket) {
  socket.on('data', (bytes) => {
    if (bytes.includes('die')) process.exit(9);
    if (bytes.includes('hang')) for (;;);
    socket.write(bytes);
  });
  socket.on('end', () => socket.end());
  socket.on('error', () => socket.destroy());
}

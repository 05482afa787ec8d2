/** A handler that answers in part. What its client says next makes its worker die, or ends the session well. */
const deaths = {
  throw: () => setTimeout(() => throwDefect(), 1),
  exit: () => setTimeout(() => process.exit(7), 1),
  'exit at once': () => process.exit(7),
};

export default function dying(socket) {
  socket.write('half');
  socket.on('data', (bytes) => {
    const said = bytes.toString().replace('dying ', '');
    if (said === 'end') socket.end(' and whole');
    deaths[said]?.();
  });
}

function throwDefect() {
  throw new Error('a defect');
}

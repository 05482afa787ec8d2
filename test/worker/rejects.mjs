export default async (socket) => {
  await new Promise((resolve) => setTimeout(resolve, 10));
  socket.read();
  throw new Error('not today');
};

/** Fails long after it was called: the worker that called it may be gone. */
export default async (socket) => {
  socket.resume();
  await new Promise((resolve) => socket.once('end', resolve));
  await new Promise((resolve) => setTimeout(resolve, 100));
  throw new Error('too late');
};

/** A handler that fails as its second byte says. */
import { once } from 'node:events';

const failures = {
  e: () => Promise.reject(new Error('an error')),
  n: () => Promise.reject(null),
  g: () =>
    Promise.reject({
      get message() {
        throw new Error('unreadable');
      },
    }),
  l: () =>
    Promise.reject(
      Object.defineProperty(new Error(), 'message', {
        get() {
          for (;;);
        },
      }),
    ),
  p: () =>
    Promise.reject(
      new Proxy(
        {},
        {
          get() {
            for (;;);
          },
        },
      ),
    ),
  /** Nobody waits for this promise. */
  u: () => void Promise.reject(new Error('lost')),
};

export default async function hostile(socket) {
  socket.on('error', () => {});
  const [bytes] = await once(socket, 'data');
  await failures[String.fromCharCode(bytes[1])]();
}

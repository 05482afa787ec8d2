/** A validator that misbehaves as its second byte says. */
const forever = () => {
  for (;;);
};

const answers = {
  r: () => Promise.reject(new Error('late')),
  u() {
    void Promise.reject(new Error('lost'));
    return 'no';
  },
  t: () => ({ toString: forever }),
  j() {
    void Promise.resolve().then(forever);
    return 'match';
  },
  q() {
    queueMicrotask(() => {
      throw new Error('escaped');
    });
    return 'match';
  },
  g() {
    throw Object.defineProperty(new Error(), 'message', { get: forever });
  },
  x() {
    throw new Proxy({}, { get: forever, getPrototypeOf: forever });
  },
};

export default (bytes) => (bytes.length < 2 ? 'more' : answers[String.fromCharCode(bytes[1])]());

// A worker thread's task that does as its messages say, and counts for as long as it lives.
export default function run({ worker, port, beats }) {
  setInterval(() => Atomics.add(new Int32Array(beats), worker, 1), 1);
  port.postMessage({ type: 'ready' });
  return new Promise((resolve, reject) => {
    const acts = {
      end: () => {
        for (let i = 0; i < 1000; i++)
          port.postMessage({ type: 'log', lines: Buffer.from(`${worker} ${i}\n`) });
        port.close();
        resolve();
      },
      throw: () => {
        throw new Error('uncaught');
      },
      reject: () => reject(new Error('rejected')),
      exit: () => process.exit(3),
      hang: () => {
        for (;;);
      },
    };
    port.on('message', ({ type }) => acts[type]());
  });
}

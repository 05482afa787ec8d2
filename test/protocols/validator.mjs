/** A validator whose answer the first byte chooses. */
let pauses = 0;

/** Takes time and no CPU, like a thread that waits for its turn. */
function pause() {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
}

const answers = {
  m: () => 'match',
  n: () => 'no',
  w: () => 'more',
  q: () => 42,
  t() {
    throw new Error('this validator throws');
  },
  l() {
    for (;;);
  },
  p() {
    pauses++;
    if (pauses === 1) pause();
    return 'match';
  },
  s() {
    for (;;) pause();
  },
  c(bytes) {
    bytes.fill(0);
    return 'match';
  },
};

export default (bytes) => answers[String.fromCharCode(bytes[0])](bytes);

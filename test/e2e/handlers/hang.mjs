// Never gives its thread back, and leaves the processor to others.
export default function hang() {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

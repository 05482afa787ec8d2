/** Sets of bytes: 256 flags each. */
export type ByteSet = Readonly<Uint8Array>;

export const byteValues = 256;

function setOf(holds: (byte: number) => boolean): ByteSet {
  const set = new Uint8Array(byteValues);
  for (let byte = 0; byte < byteValues; byte += 1) set[byte] = Number(holds(byte));
  return set;
}

/** Cache by `min` and `max`: signatures repeat a few ranges, and shared sets are classified once. */
const ranges: (ByteSet | undefined)[] = [];

export function range(min: number, max: number): ByteSet {
  const key = min * byteValues + max;
  ranges[key] ??= new Uint8Array(byteValues).fill(1, min, max + 1);
  return ranges[key];
}

export const single = (value: number): ByteSet => range(value, value);

export const union = (...sets: readonly ByteSet[]): ByteSet =>
  setOf((byte) => sets.some((set) => set[byte] === 1));

export const negate = (set: ByteSet): ByteSet => setOf((byte) => set[byte] === 0);

/** Adds the other case of the set's ASCII letters. */
export const bothCases = (set: ByteSet): ByteSet =>
  setOf((byte) => set[byte] === 1 || (isLetter(byte) && set[byte ^ 0x20] === 1));

const isLetter = (byte: number): boolean => /[A-Za-z]/.test(String.fromCharCode(byte));

export const anyByte = range(0, byteValues - 1);

/** A handshake that arrives in fragments (QUIC, DTLS): in any order, and parts of it again. */

export interface Fragment {
  readonly offset: number;
  readonly data: Buffer;
}

/** What they make up to the first gap. Null: two of them differ where they overlap, so an endpoint may read another one. */
export function assembled(fragments: readonly Fragment[]): Buffer | null {
  const whole = Buffer.alloc(fragments.reduce((sum, { data }) => sum + data.length, 0));
  let have = 0;
  for (const { offset, data } of fragments.toSorted((a, b) => a.offset - b.offset)) {
    if (offset > have) break;
    const known = Math.min(have - offset, data.length);
    if (data.compare(whole, offset, offset + known, 0, known) !== 0) return null;
    have += data.copy(whole, have, known);
  }
  return whole.subarray(0, have);
}

/** Openings and what must be said of them, as data: every engine runs every case, at every cut. */

export interface Case {
  readonly why: string;
  readonly bytes: Uint8Array;
  /** A protocol and the bytes that settle it; or that more are needed; or that it is none, and when that is certain. */
  readonly expect:
    | { readonly protocol: string; readonly at: number }
    | { readonly unknownAt: number }
    | 'more';
}

/** A datagram is whole: it has a name or it has none. */
export interface DatagramCase {
  readonly why: string;
  readonly bytes: Uint8Array;
  readonly expect: string | null;
}

export const hex = (digits: string): Uint8Array => Buffer.from(digits.replaceAll(/\s/g, ''), 'hex');

/** One byte a character. */
export const text = (characters: string): Uint8Array => Buffer.from(characters, 'latin1');

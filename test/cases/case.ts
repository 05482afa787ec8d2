/** Openings with their expected answers as data: every engine runs every case at every cut. */

export interface Case {
  readonly why: string;
  readonly bytes: Uint8Array;
  /**
   * The protocol and the prefix length that decides it; or `more`; or not this protocol, and from which byte on that
   * is certain.
   */
  readonly expect:
    | { readonly protocol: string; readonly at: number }
    | { readonly unknownAt: number }
    | 'more';
}

/** A datagram is complete: a protocol or none, never `more`. */
export interface DatagramCase {
  readonly why: string;
  readonly bytes: Uint8Array;
  readonly expect: string | null;
}

export const hex = (digits: string): Uint8Array => Buffer.from(digits.replaceAll(/\s/g, ''), 'hex');

/** Latin-1: one byte per character. */
export const text = (characters: string): Uint8Array => Buffer.from(characters, 'latin1');

/** What a protocol is: a name, a signature as data, and where both come from. */
import type { FactsAnswer } from './facts.js';

export type Transport = 'tcp' | 'udp';

/** A matcher's answer to a prefix. "Not enough bytes yet" is `more`, never an error and never `no`. */
export type Verdict = 'match' | 'more' | 'no';

/**
 * A signature: what the first bytes of a connection must be. Compiled to one DFA.
 * All that is given must hold; of `startBytes` and of `patterns` one each is enough.
 */
export interface Signature {
  /** Regular expressions over bytes (\x00-\xff), each anchored with `^`. */
  readonly patterns?: readonly string[];
  /** Hex strings expected at `offset`. */
  readonly startBytes?: readonly string[];
  /** Where `startBytes` begin. Default 0. */
  readonly offset?: number;
  /** Hex strings, one of which must occur anywhere in the first `containsWithin` bytes. */
  readonly contains?: readonly string[];
  /** Default 1024. */
  readonly containsWithin?: number;
  /**
   * Arithmetic that must hold once the patterns have matched and all named bytes are there: linear comparisons of
   * fields at fixed offsets, such as `u16be(2) == u8(4) + 5` or `u32le(0) >= 16`. `total` is the length of a datagram.
   */
  readonly checks?: readonly string[];
  /** No answer before so many bytes. Default 0. */
  readonly minBytes?: number;
  /** No match once more bytes than this are needed for it. Default: the sniffing limit. */
  readonly maxBytes?: number;
}

/** What is said of a prefix that the signature has matched, where bytes alone do not settle it. Never throws. */
export type Confirmation =
  | { readonly verdict: 'match' }
  | { readonly verdict: 'no' }
  /** Ask again with so many bytes in all. */
  | {
      readonly verdict: 'more';
      readonly bytesNeeded: number;
      /** Where not one byte more comes for so long, it is this protocol; or what it refines, where that is accepted too. */
      readonly quietMs?: number;
    };

/** How a protocol is told, and what is read from its opening. */
export interface Recognizer {
  readonly signature: Signature;
  /**
   * Settles what the signature can not: walks of labels and headers. Linear time, monotone: an answer is never taken
   * back when more bytes come, and does not depend on how they were cut. Until it matches the protocol is undecided.
   */
  readonly confirm?: (bytes: Uint8Array) => Confirmation;
  /** Reads facts from a prefix that was recognised; never throws, linear time. `isFull`: it is all that is looked at. */
  readonly facts?: (bytes: Uint8Array, isFull?: boolean) => FactsAnswer;
}

export interface Protocol extends Recognizer {
  /** Stable, lower case: `http`, `tls`, `ssh`. */
  readonly id: string;
  /** `udp`: the first datagram is the whole prefix. */
  readonly transports: readonly Transport[];
  /** Among equals of priority the more specific signature goes first: a lower number is more specific. */
  readonly rank: number;
  /** Told otherwise in a datagram than in a stream. */
  readonly datagram?: Recognizer;
  /** The protocol that this one is a special case of: `websocket` refines `http`. */
  readonly refines?: string;
  /** The server speaks first: a client that waits for it says nothing (`on_silence`). */
  readonly serverFirst?: boolean;
  /** The facts that it may have, as routes and the access log call them. */
  readonly factNames?: readonly string[];
  /** The signature in words, for `anyport protocols` and docs. */
  readonly words: string;
  /** Where the signature is specified, e.g. `RFC 4253 section 4.2`. */
  readonly source: string;
}

/** A protocol: name, signature as data, and their sources. */
import type { FactsAnswer } from './facts.js';

export type Transport = 'tcp' | 'udp';

/** Over what a session came: `kcp` is a stream of a link of reliable UDP. */
export type SessionTransport = Transport | 'kcp';

/** A matcher's answer to a prefix. "Not enough bytes yet" is `more`, never an error and never `no`. */
export type Verdict = 'match' | 'more' | 'no';

/**
 * Requirements on the first bytes of a connection, compiled to DFAs and checks. Every key present must hold; of
 * `startBytes`, and of `patterns`, one alternative is enough.
 */
export interface Signature {
  /** Regular expressions over bytes (\x00-\xff), each anchored with `^`. */
  readonly patterns?: readonly string[];
  /** Hex strings expected at `offset`. */
  readonly startBytes?: readonly string[];
  /** Position of `startBytes`. Default 0. */
  readonly offset?: number;
  /** Hex strings, one of which must occur within the first `containsWithin` bytes. */
  readonly contains?: readonly string[];
  /** Default 1024. */
  readonly containsWithin?: number;
  /**
   * Linear comparisons of fields at fixed offsets, evaluated when patterns have matched and all fields have arrived, e.g.
   * `u16be(2) == u8(4) + 5` or `u32le(0) >= 16`. `total` is the length of a datagram.
   */
  readonly checks?: readonly string[];
  /** Lower bound on the prefix length of a match. Default 0. */
  readonly minBytes?: number;
  /** Upper bound on the prefix length of a match. Default: the read limit. */
  readonly maxBytes?: number;
}

/** Second verdict on a prefix that the signature matched, where the signature does not decide. */
export type Confirmation =
  | { readonly verdict: 'match' }
  | { readonly verdict: 'no' }
  /** Call again with at least this prefix length. */
  | {
      readonly verdict: 'more';
      readonly bytesNeeded: number;
      /** After a silence of this length it is this protocol, or the one it refines if that is accepted too. */
      readonly quietMs?: number;
    };

/** Recognition of a protocol and the facts read from its opening. */
export interface Recognizer {
  readonly signature: Signature;
  /**
   * Decides what the signature can not: walks over labels and headers. Never throws, linear time, monotone: more bytes
   * never change an answer, nor does segmentation. Until it answers `match` the protocol is undecided.
   */
  readonly confirm?: (bytes: Uint8Array) => Confirmation;
  /** Reads facts from a recognised prefix; never throws, linear time. `isFull`: the read limit is reached. */
  readonly facts?: (bytes: Uint8Array, isFull?: boolean) => FactsAnswer;
}

export interface Protocol extends Recognizer {
  /** Stable, lower case: `http`, `tls`, `ssh`. */
  readonly id: string;
  /** With `udp` the first datagram is the whole prefix. */
  readonly transports: readonly Transport[];
  /** Specificity, used at equal priority: the lower number ranks first. */
  readonly rank: number;
  /** Separate recognizer for datagrams. */
  readonly datagram?: Recognizer;
  /** Its opening may lie in several datagrams: `facts` get them one behind the other. Others have one, which is whole. */
  readonly spansDatagrams?: true;
  /** The protocol of which this is a special case: `websocket` refines `http`. */
  readonly refines?: string;
  /** The server speaks first, so a waiting client is silent (`on_silence`). */
  readonly serverFirst?: boolean;
  /** Names of the facts that it can have, as used in routes and the access log. */
  readonly factNames?: readonly string[];
  /** Description of the signature for `anyport protocols` and docs. */
  readonly words: string;
  /** Specification of the signature, e.g. `RFC 4253 section 4.2`. */
  readonly source: string;
}

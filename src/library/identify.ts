/** Identification by itself: no port, no addon. */
import type { Facts } from '../model/facts.js';
import type { Transport } from '../model/protocol.js';
import { identifyBytes } from '../protocols/identify.js';
import { type BuiltInId, protocols } from '../protocols/index.js';

export interface IdentifyOptions {
  /** With `udp` every element is a datagram. Default `tcp`. */
  readonly transport?: Transport;
}

export interface Identification {
  /** Id of the protocol; null unless the verdict is `match`. */
  readonly protocol: string | null;
  /** `more`: the bytes do not decide it yet; `unknown`: more would not change that it is none of the built-ins. */
  readonly verdict: 'match' | 'more' | 'unknown';
  /** Length of the prefix that decided it; for `more`, the bytes seen. */
  readonly decidedAtByte: number;
  /** Length of the prefix needed to go on; null when nothing is missing. */
  readonly bytesNeeded: number | null;
  /** What the opening says: `sni`, `alpn`, `host` … */
  readonly facts: Facts;
  /** Present: it is so only if the client is silent for so many milliseconds. */
  readonly quietMs?: number;
}

/** Says which built-in protocol the first bytes of a client belong to. A list is what arrived one after the other. */
export function identify(
  bytes: Uint8Array | readonly Uint8Array[],
  { transport = 'tcp' }: IdentifyOptions = {},
): Identification {
  return identifyBytes(bytes instanceof Uint8Array ? [bytes] : bytes, transport);
}

/** A built-in protocol, as `anyport protocols` lists it. */
export interface BuiltInProtocol {
  readonly id: BuiltInId;
  readonly transports: readonly Transport[];
  /** The protocol of which it is a special case. */
  readonly refines: string | null;
  /** The server speaks first, so that a waiting client is silent. */
  readonly serverFirst: boolean;
  /** Names of the facts that routes and events may have. */
  readonly facts: readonly string[];
  /** Its signature in words. */
  readonly signature: string;
  /** The specification of the signature, e.g. `RFC 4253 section 4.2`. */
  readonly source: string;
}

/** In rank order: at equal priority the earlier one is asked first. */
export const protocolTable: readonly BuiltInProtocol[] = Object.freeze(
  protocols.map(({ id, transports, refines, serverFirst, factNames, words, source }) =>
    Object.freeze({
      id: id as BuiltInId,
      transports,
      refines: refines ?? null,
      serverFirst: serverFirst ?? false,
      facts: factNames ?? [],
      signature: words,
      source,
    }),
  ),
);

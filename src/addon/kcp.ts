/** Reliable UDP across the border: profiles, what handshakes have come to, links, and their events. */
import type { SocketAddress } from '../model/address.js';
import type { KcpFigures } from '../model/kcp-links.js';

/** What the links of a profile are made with (native/links/profile.h). Secrets of the wire `anyport` are not for native code, but for one key. */
export interface EngineKcpProfile {
  /** Constant for the daemon's life. */
  readonly id: number;
  readonly mode: {
    readonly nodelay: number;
    readonly intervalMs: number;
    readonly resend: number;
    readonly nc: number;
  };
  readonly fec: { readonly data: number; readonly parity: number; readonly adaptive: boolean };
  /** UDP payload in bytes. */
  readonly mtu: number;
  /** Segments. */
  readonly sendWindow: number;
  readonly receiveWindow: number;
  readonly heartbeatMs: number;
  readonly deadAfterMs: number;
  /** A client's link without streams ends after so long; 0: never. */
  readonly idleMs: number;
  /** Links that clients have begun, of this worker; 0: 65,536. */
  readonly linksMax: number;
  /** Streams of a link at once. */
  readonly streamsMax: number;
  /** The link closes with its one stream. */
  readonly singleStream: boolean;
  /**
   * 32 bytes: of the tokens that end links which a server does not know any more. Null: one of this process, which all its
   * threads share.
   */
  readonly resetKey: Uint8Array | null;
  /** Null: the wire `anyport`. `pass`: 32 bytes. */
  readonly kcptun: {
    readonly crypt: string;
    readonly pass: Uint8Array;
    readonly smux: 1 | 2;
    readonly compression: boolean;
  } | null;
}

/** What a handshake has come to. */
export interface KcpAgreed {
  /** Keys of 32 bytes for every cipher. */
  readonly send: Uint8Array;
  readonly receive: Uint8Array;
  /** By its number in a hello. */
  readonly cipher: number;
  readonly peer: { readonly conv: number; readonly mtu: number; readonly receiveWindow: number };
}

/** At a client. `reset`: the server's token of 16 bytes for the link. */
export interface KcpEstablished extends KcpAgreed {
  readonly reset: Uint8Array;
}

export interface KcpStats extends KcpFigures {
  /** 0: not measured yet. */
  readonly rttMs: number;
  readonly rttVarMs: number;
  readonly streams: number;
  /** Changes of our key, and of the peer's address. */
  readonly keys: number;
  readonly moves: number;
}

/** A link, as listed. */
export interface KcpLink extends KcpStats {
  readonly link: number;
  /** Id. */
  readonly profile: number;
  /** Id; -1: a link of our own. */
  readonly listener: number;
  readonly isClient: boolean;
  readonly remote: SocketAddress;
  readonly state: 'handshake' | 'up' | 'closing';
  readonly ageMs: number;
  readonly mtu: number;
  readonly sendWindow: number;
  readonly receiveWindow: number;
  /** Segments that may be in flight: the least of ours, the peer's and the path's. */
  readonly peerWindow: number;
}

/**
 * Of links. `link` and `handle` are numbers of one kind; one of a link that is gone does nothing. `profile` is an id,
 * `from` the peer.
 */
export type KcpEvent = {
  readonly profile: number;
  readonly isClient: boolean;
  readonly from: SocketAddress;
} & (
  | {
      /** A client's, of 512 bytes, whose cookie is good: `kcpAccept` or `kcpRefuse`, within 10 s. */
      readonly kind: 'hello';
      readonly handle: number;
      readonly bytes: Uint8Array;
      /** Of 16 bytes, for the client alone: its `reset`. */
      readonly token: Uint8Array;
    }
  /** A link of our own is wanted: `kcpSend`. */
  | { readonly kind: 'begin'; readonly link: number }
  /** Message 2 of the handshake has come: `kcpEstablish`, or `kcpFail` if it is not genuine. */
  | { readonly kind: 'answer'; readonly link: number; readonly bytes: Uint8Array }
  /** A server's is up with the first packet of its client. */
  | { readonly kind: 'up'; readonly link: number }
  | {
      readonly kind: 'down';
      readonly link: number;
      /** `timeout`: it has not come up; `lost`: its server does not know it; else as native/kcp/link_settings.h names them. */
      readonly reason: string;
      readonly stats: KcpStats;
    }
  /** The peer has opened a stream; `fd`, which is the receiver's, is connected to it. Endpoints alone. */
  | { readonly kind: 'stream'; readonly link: number; readonly stream: number; readonly fd: number }
  /** The peer has reset a stream; its descriptor sees an end. Endpoints alone. */
  | { readonly kind: 'reset'; readonly link: number; readonly stream: number }
);

/** Links without the daemon (native/links/endpoint.h): handshakes as an engine's. */
export interface KcpEndpoint {
  /** Takes links of clients at an address. Returns what it is bound to. Throws with `code`. */
  bind(address: SocketAddress): SocketAddress;
  /** Begins a link; it goes down if it is not up in time. Throws with `code`. */
  connect(address: SocketAddress, timeoutMs: number): number;
  send(link: number, hello: Uint8Array): boolean;
  establish(link: number, agreed: KcpEstablished): boolean;
  fail(link: number): boolean;
  accept(handle: number, agreed: KcpAgreed & { readonly answer: Uint8Array }): boolean;
  refuse(handle: number): boolean;
  /** A stream of a link that is up. Throws with `code`: EAGAIN, it is not up yet or has no place for another; ENOTCONN. */
  open(link: number): { readonly stream: number; readonly fd: number };
  /** Resets a stream, both ways. */
  reset(stream: number): void;
  /** Ends a link when its streams have ended and all is acknowledged. */
  finish(link: number): boolean;
  /** Ends it now. */
  end(link: number): boolean;
  /** Segments. */
  setWindow(link: number, send: number, receive: number): boolean;
  setMtu(link: number, mtu: number): boolean;
  setInterval(link: number, intervalMs: number): boolean;
  links(): KcpLink[];
  /** Since the endpoint was made; `links`: now. */
  counts(): {
    readonly links: number;
    readonly segmentsSent: number;
    readonly segmentsReceived: number;
    readonly retransmits: number;
    readonly recovered: number;
    readonly resetsSent: number;
    readonly resetsReceived: number;
    readonly dropped: Readonly<Record<'refused' | 'replayed' | 'malformed' | 'unknown' | 'full', number>>;
  };
  /** Takes no new links and streams. */
  drain(): void;
  /** Ends everything; there are no more events. */
  close(): void;
}

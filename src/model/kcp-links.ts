/** Live links of reliable UDP, as listed. Plain data: it crosses threads and the control interface. */
import type { AddressText } from './session.js';

export const kcpLinkLimits = {
  rowsDefault: 100,
  rowsMax: 1000,
} as const;

/** What a link has carried, and how it fares; counts are since it began. */
export interface KcpFigures {
  /** Of what was sent, as lately measured; 0 to 1. */
  readonly lossRate: number;
  /** Since something of the other end was last taken. */
  readonly idleMs: number;
  /** Segments sent and not acknowledged. */
  readonly inFlight: number;
  readonly segmentsSent: number;
  readonly segmentsReceived: number;
  /** Segments sent again. */
  readonly retransmits: number;
  /** Datagrams that the parity has made up for. */
  readonly recovered: number;
  /** Of the ordered stream. */
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly datagramsSent: number;
  readonly datagramsReceived: number;
  /** UDP payload. */
  readonly wireBytesSent: number;
  readonly wireBytesReceived: number;
}

export interface KcpLinkInfo extends KcpFigures {
  /** `WORKER-NUMBER`. */
  readonly id: string;
  readonly worker: number;
  /** Name. */
  readonly profile: string;
  readonly wire: 'anyport' | 'kcptun';
  /** Of this end. */
  readonly side: 'client' | 'server';
  /** Null: a link of our own. */
  readonly listener: string | null;
  readonly remote: AddressText;
  readonly state: 'handshake' | 'up' | 'closing';
  /** The same at both ends, 32 hexadecimal digits; null: not agreed on yet, or wire `kcptun`. */
  readonly session: string | null;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly ageMs: number;
  readonly streams: number;
  /** Null: not measured yet. */
  readonly rttMs: number | null;
  readonly rttVarMs: number | null;
  readonly mtu: number;
  /** Segments. */
  readonly sendWindow: number;
  readonly receiveWindow: number;
  /** Segments that may be under way, all windows considered. */
  readonly window: number;
  /** Changes of the key, and of the other end's address. */
  readonly keyChanges: number;
  readonly moves: number;
}

export interface KcpLinkList {
  /** The newest first. */
  readonly links: readonly KcpLinkInfo[];
  /** All there are, those beyond the limit too. */
  readonly total: number;
  /** Workers that did not answer in time: their links are not in the list. */
  readonly missing: readonly number[];
}

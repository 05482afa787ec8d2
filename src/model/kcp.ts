/** Reliable UDP: what a profile says, checked and with its keys derived. Plain data, in the configuration and in the Plan. */

/** Of the wire `anyport`: the byte behind the type of a hello. */
export const kcpWireVersion = 2;

/** Of links between two anyports; order is the numbering on the wire. */
export const kcpCiphers = ['none', 'chacha20-poly1305', 'aes-128-gcm', 'xsalsa20-poly1305'] as const;
export type KcpCipher = (typeof kcpCiphers)[number];

export const kcpWires = ['anyport', 'kcptun'] as const;

/** Why datagrams are dropped that may have been for a link; order is that of the cells of their counter. */
export const kcpDrops = ['refused', 'replayed', 'malformed', 'unknown', 'full'] as const;
export type KcpDrop = (typeof kcpDrops)[number];

/** How a link resends, in the words of the protocol. */
export interface KcpMode {
  /** Shorter timeouts. */
  readonly nodelay: boolean;
  /** Of the flush that a kcptun peer waits for; else the least timeout until something is sent again. */
  readonly intervalMs: number;
  /** Segments acknowledged beyond one that is missing before it is sent again; 0: only by timeout. */
  readonly resend: number;
  /** No congestion window. */
  readonly nc: boolean;
}

const mode = (nodelay: boolean, intervalMs: number): KcpMode => ({
  nodelay,
  intervalMs,
  resend: 2,
  nc: true,
});

/** As kcptun names them. */
export const kcpModes = {
  normal: mode(false, 40),
  fast: mode(false, 30),
  fast2: mode(true, 20),
  fast3: mode(true, 10),
} as const satisfies Record<string, KcpMode>;

export type KcpModeName = keyof typeof kcpModes;
export const kcpModeNames = Object.keys(kcpModes) as [KcpModeName, ...KcpModeName[]];

/** What kcptun calls `--crypt`. */
export const kcptunCrypts = [
  'aes',
  'aes-192',
  'aes-128',
  'aes-128-gcm',
  'salsa20',
  'sm4',
  '3des',
  'tea',
  'xtea',
  'xor',
  'none',
  'null',
] as const;
export type KcptunCrypt = (typeof kcptunCrypts)[number];

/** Of these, what hides nothing from somebody who knows a datagram of another one. */
export const openCrypts: readonly KcptunCrypt[] = ['xor', 'none', 'null'];

/** Segments (KCP.md: windows are 16 bits on the wire). */
export const KCP_WINDOW_MAX = 65_535;
/** UDP payload: what every path carries, and what receivers have room for. */
export const kcpMtuLimits = { min: 576, max: 1500 } as const;

/** Segments of data and parity in a group; 0 and 0: no parity. */
export interface KcpFec {
  readonly data: number;
  readonly parity: number;
  /** The parity follows the loss that is measured. */
  readonly adaptive: boolean;
}

export type KcpSecurity = KcpNoise | KcptunKey;

/** Keys in hexadecimal, so that they are plain data. */
export interface KcpNoise {
  readonly wire: 'anyport';
  readonly cipher: KcpCipher;
  /** From the secret; null: without one. */
  readonly psk: string | null;
  /** The server's public key, if it is known; of a pair, that of the private one. */
  readonly serverKey: string | null;
  readonly privateKey: string | null;
}

export interface KcptunKey {
  readonly wire: 'kcptun';
  readonly crypt: KcptunCrypt;
  /** From its key. */
  readonly pass: string;
  readonly smux: 1 | 2;
  readonly compression: boolean;
}

export interface KcpProfile {
  readonly name: string;
  readonly security: KcpSecurity;
  readonly mode: KcpMode;
  /** Of a datagram's payload. */
  readonly mtu: number;
  /** Segments. */
  readonly sendWindow: number;
  readonly receiveWindow: number;
  readonly fec: KcpFec;
  readonly heartbeatMs: number;
  readonly deadAfterMs: number;
  /** Between two log lines about each link; 0: none. */
  readonly statusLogMs: number;
}

/** Of the wire `anyport`. */
export type NoiseProfile = KcpProfile & { readonly security: KcpNoise };

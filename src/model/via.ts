/** The way to an upstream's endpoints through proxies of others. */

/** What a proxy speaks; `https`: HTTP in TLS. */
export const hopSchemes = ['http', 'https', 'socks5', 'socks4a'] as const;
export type HopScheme = (typeof hopSchemes)[number];

/** A proxy on the way. */
export interface Hop {
  readonly scheme: HopScheme;
  /** A name, or a literal without brackets. */
  readonly host: string;
  readonly port: number;
  /** Null: it wants to know none. Decoded. */
  readonly user: string | null;
  readonly password: string | null;
}

/** TLS to the first proxy, which is always verified. */
export interface ViaTls {
  /** Name for SNI and for the certificate; an address is only compared with the certificate. */
  readonly serverName: string;
  /** PEM of the authorities that are trusted; null: those that Node.js trusts. */
  readonly ca: string | null;
}

export interface Via {
  /** In order, at least one. The first is dialled; each is asked for the next, and the last for the endpoint. */
  readonly hops: readonly Hop[];
  /** Null unless the first is `https`. */
  readonly tls: ViaTls | null;
}

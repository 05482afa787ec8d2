/** Resolved socket addresses, as native code binds and dials them. */

export interface InetAddress {
  readonly host: string; // an IPv4 or IPv6 literal, without brackets
  readonly port: number; // 0..65535
}

export interface UnixAddress {
  readonly path: string;
}

export type SocketAddress = InetAddress | UnixAddress;

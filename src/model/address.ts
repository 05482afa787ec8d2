/** Socket addresses, already resolved: what the native side binds and dials. */

export interface InetAddress {
  readonly host: string; // an IPv4 or IPv6 literal, without brackets
  readonly port: number; // 0..65535
}

export interface UnixAddress {
  readonly path: string;
}

export type SocketAddress = InetAddress | UnixAddress;

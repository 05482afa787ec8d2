/** A ban, as one node tells others of it. */
export interface BanNote {
  /** An IPv4 address, or one of an IPv6 /64. */
  readonly address: string;
  /** From now. */
  readonly leftMs: number;
}

/** Bans that this node has made, as others are told of them. */
export interface OwnBans {
  /** Another number after every change. */
  readonly version: number;
  /** Those of operators first, then those that last longest. */
  list(most: number): readonly BanNote[];
}

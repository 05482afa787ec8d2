/**
 * What the configuration says of an upstream, beside where it leads: one object, which travels whole from its schema
 * (src/config/schema/upstreams.ts) to whoever acts on it. Keys are those of the file, defaults are filled in, times are
 * milliseconds. This is the one declaration: the schema must satisfy it.
 */
export interface UpstreamOptions {
  /** A key of the table of strategies (src/upstream/balance). */
  readonly balance: string;
  /** Further endpoints to try while no byte has reached one. */
  readonly retries: number;
  readonly dns: {
    /** Between two look-ups of a name. */
    readonly refresh: number;
  };
  /** Of connections to endpoints; unix ones have none of this. */
  readonly tcp: {
    /** Largest segment in bytes; 0: the system's. */
    readonly mss: number;
    /** Silence before a keepalive probe, and between two; 0: none. */
    readonly keepalive: number;
    /** How long sent data may stay unacknowledged before the connection is given up; 0: the system's. */
    readonly user_timeout: number;
  };
  /** Differentiated services code point of what is sent to endpoints (RFC 2474); 0: the system's. */
  readonly dscp: number;
}

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
}

/** By which this node speaks TLS to a server. PEM texts. */
export interface ClientTls {
  /** Authorities that are trusted; without it those that Node.js brings. */
  readonly ca?: string;
  /** Shown to the server, with `key`. */
  readonly cert?: string;
  readonly key?: string;
}

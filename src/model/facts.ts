/** Facts: values read from the opening besides the protocol. Keys are stable: routes and the access log use them. */
export interface Facts {
  /** TLS server name, lower case; absent when none was sent. */
  sni?: string;
  /** TLS application protocols, in the client's order. */
  alpn?: readonly string[];
  /** TLS versions the client offers, e.g. `['1.3', '1.2']`. */
  versions?: readonly string[];
  method?: string;
  path?: string;
  /** HTTP host, lower case, without the port. */
  host?: string;
  /** SSH software version, e.g. `OpenSSH_9.2p1`. */
  software?: string;
  [key: string]: string | number | boolean | readonly string[] | undefined;
}

/**
 * A facts parser's answer to a prefix. `more`: call again with at least `bytesNeeded` bytes in total. `broken`: the
 * opening is malformed; rules that need a fact then fail closed. None of these rules out the protocol: facts are parsed
 * only on demand, so identification must not depend on them.
 */
export type FactsAnswer =
  | { readonly verdict: 'facts'; readonly facts: Facts; readonly doubtful?: Doubtful }
  | {
      readonly verdict: 'more';
      readonly bytesNeeded: number;
      readonly facts: Facts;
      readonly doubtful?: Doubtful;
    }
  | { readonly verdict: 'broken'; readonly facts: Facts };

/** Facts that are truncated or ambiguous (an endpoint may read them differently): rules on them fail closed. */
export type Doubtful = readonly string[];

/** What the first bytes say beyond the protocol's name. Keys are stable: routes and the access log use them. */
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
 * A facts parser's answer to a prefix. `more` names the bytes needed in all before asking again; `broken` says that
 * the opening can not be read (rules that need a fact then fail closed). None of them says that it is another
 * protocol: facts are read only where somebody wants them, so that is for signatures and confirmations alone.
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

/** Names of facts that are not whole, or that an endpoint may read otherwise: rules on one of them fail closed. */
export type Doubtful = readonly string[];

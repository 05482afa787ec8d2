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
  | {
      readonly verdict: 'facts';
      readonly facts: Facts;
      readonly doubtful?: Doubtful;
      /** Further facts follow if the client is answered. Absent: there are no others. */
      readonly turn?: Turn;
    }
  | {
      readonly verdict: 'more';
      readonly bytesNeeded: number;
      readonly facts: Facts;
      readonly doubtful?: Doubtful;
    }
  | { readonly verdict: 'broken'; readonly facts: Facts };

/** Facts that are truncated or ambiguous (an endpoint may read them differently): rules on them fail closed. */
export type Doubtful = readonly string[];

/** The client waits for an answer before it says more. It is given one only where a route needs what follows. */
export interface Turn {
  /** In words, for explanations. */
  readonly words: string;
  /** Length of the request, which is not for the endpoint. */
  readonly bytes: number;
  readonly reply: Uint8Array;
  /** Reads what the client says then. */
  readonly facts: (bytes: Uint8Array, isFull?: boolean) => FactsAnswer;
  /** The endpoint is asked in turn, before it gets what the client said then; null: it is not. */
  readonly ask: Ask | null;
}

/** A question to an endpoint, or to a proxy on the way to it, before the session's bytes. */
export interface Ask {
  /** In words, for explanations. */
  readonly words: string;
  readonly bytes: Uint8Array;
  /** Length of the shortest answer; 0: none is awaited. */
  readonly expected: number;
  readonly judge: (answer: Uint8Array) => AskVerdict;
  /** Who is asked, `host:port`; absent: the endpoint. */
  readonly proxy?: string;
  /** Whoever does not answer is not the endpoint. */
  readonly blames?: 'proxy';
}

export type AskVerdict =
  /** `bytes`: length of the answer; what follows is the session's. `skips`: questions that need not be asked now. */
  | { readonly verdict: 'yes'; readonly bytes: number; readonly skips?: number }
  | { readonly verdict: 'more'; readonly bytesNeeded: number }
  /** In our words. `blames`: the proxy does not do it, whatever the endpoint. */
  | { readonly verdict: 'no'; readonly why: string; readonly blames?: 'proxy' };

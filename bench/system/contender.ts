/** What is measured, and what a workload asks of it. */

export interface Contender {
  readonly name: string;
  readonly port: number;
  /** Null: no proxy. */
  readonly pid: number | null;
  /** Cost of its start until ready. */
  readonly start: Start;
  /** Its counters so far; session ends are known from anyport only. */
  books?(ends: readonly string[]): Promise<Partial<Booked>>;
  /** Fetches /metrics. */
  scrape?(): Promise<string>;
  /** Replaces its configuration by another one; resolves when that is in force. */
  reload?(): Promise<void>;
  /** Listening addresses, if there are more than `port`. */
  readonly listeners?: readonly string[];
  stop(): Promise<void>;
}

export interface Start {
  readonly cpuNanoseconds: number;
  /** NaN: it does not report readiness. */
  readonly seconds: number;
}

export const UNKNOWN_START: Start = { cpuNanoseconds: NaN, seconds: NaN };

/** Counters: sessions ended by reason, and access log lines. */
export interface Booked {
  readonly ended: Readonly<Record<string, number>>;
  readonly lines: number;
}

/** What a contender is set up for. */
export interface Setting {
  /** Each has its best settings for messages or for bulk, or those that it has by default. */
  readonly tuning: 'messages' | 'bulk' | 'default';
  /** Overrides `--workers`. */
  readonly workers?: number;
  readonly accessLog?: boolean;
  /** Identify timeout. */
  readonly identifySeconds?: number;
  /** Number of listeners, on one port of different addresses. */
  readonly listeners?: number;
  /** A network that is refused at accept. */
  readonly refused?: string;
  /** The only name of TLS hellos that leads to the endpoint; absent: HTTP and Redis do, by their first bytes. */
  readonly sni?: string;
  /** HAProxy: waits for a whole request line, hello or command instead of its first bytes. */
  readonly wholeOpenings?: true;
  /** It will be scraped and reloaded. */
  readonly operated?: true;
  /** anyport: what makes each of its threads collect garbage (NAME.cjs beside anyport.ts). */
  readonly collects?: 'garbage' | 'compaction';
  /** Command that runs the proxy, such as `taskset`. */
  readonly wrapper?: readonly string[];
}

/** Something to compare with. */
export interface Rival {
  readonly name: string;
  /** Undefined: it is not installed. */
  version(): string | undefined;
  /** Debian packages that have it. */
  readonly packages: string;
  /** Why it has no place in a comparison; null: it has. */
  lacks(asked: Asked): string | null;
  start(target: number, setting: Setting): Promise<Contender>;
}

export interface Asked {
  readonly setting: Setting;
  /** Upper bound on connections at once. */
  readonly connections: number;
  /** Clients that stay unidentified: until they leave, or until their time is over. */
  readonly unfinished: 'leave' | 'stay' | null;
}

export const CONNECTIONS_MAX = 9_000;
export const IDENTIFY_SECONDS = 15;
/** Leads nowhere: the discard port, where nobody listens. */
export const NOWHERE = '127.0.0.1:9';

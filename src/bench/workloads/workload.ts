/** What a workload is: how clients use the daemon, and what is measured of it. A file each; index.ts lists them. */
import type { Document } from '../../model/config.js';
import type { ClientArguments } from '../load.js';

/** What a sweep varies. */
export interface Setup {
  readonly workers: number;
  readonly accept: Accept;
  readonly connections: number;
  /** Of a message, an answer or a transfer; 0: those of the workload's openings. */
  readonly bytes: number;
}

export type Accept = 'reuseport' | 'handoff';

export interface Workload {
  readonly name: string;
  readonly words: string;
  /** One of what is counted: `connection`. */
  readonly unit: string;
  /**
   * `units`: how many a second, with which latency. `bytes`: how many of them. `memory`: what connections hold that do
   * nothing.
   */
  readonly measures: 'units' | 'bytes' | 'memory';
  /** If no others are asked for. */
  readonly connections: readonly number[];
  /** Sizes that it can have; null: they are those of its openings. */
  readonly bytes: { readonly usual: number; readonly most: number } | null;
  /** The endpoint is one of datagrams. */
  readonly datagrams?: true;
  /** Sections of the daemon's configuration beside `server`; without `listeners` it has one of connections. */
  sections(endpoint: string): Document;
  /** Name of the one that clients connect to; absent: the first. */
  readonly listener?: string;
  /** Where paths in its configuration begin; absent: it has none. */
  readonly directory?: string;
  /** Likewise of another daemon between clients and that one. */
  front?(daemon: string): Document;
  client(setup: Setup): Pick<ClientArguments, 'kind' | 'bytes' | 'head'>;
  /** What connections begin with, before what is measured: how the daemon knows them. */
  readonly opening?: Buffer;
  /** What visits ask in turn, and get back, if not what the load makes itself. */
  openings?(): Promise<readonly Buffer[]>;
}

/** Two protocols, as most of the files do that were compared with others. */
export const twoProtocols = (endpoint: string): Document => ({
  protocols: [
    { name: 'HTTP', target: endpoint },
    { name: 'Redis', target: endpoint },
  ],
});

/**
 * The one door to native/, with its types. Nothing else loads the addon.
 *
 * The border is crossed seldom, in batches, with plain data: an engine puts what happened into an event ring
 * (shared memory) and calls `onTurn` once a loop turn; TypeScript puts its answers into a second ring,
 * which the engine reads when the call returns.
 */
import { createRequire } from 'node:module';
import type { SocketAddress } from './model/address.js';
import type { ClassifierTables, Decision, Settlement } from './model/classifier.js';
import type { UpstreamOptions } from './model/upstream-options.js';

export type { ClassifierTables, Decision } from './model/classifier.js';

/** How bytes are fed to a classifier. */
export interface Feeding {
  /** Where reads end before the last byte, ascending; default: one read. */
  readonly cuts?: Uint32Array;
  /** Let the protocols that no route takes answer too. Default true. */
  readonly nameUnrouted?: boolean;
  /** No more bytes will come: answer with the best match, never `more`. Default false. */
  readonly ended?: boolean;
  /** Asked after each read about the protocol that matches, with the bytes so far. Default: it is right. */
  readonly confirm?: (protocol: number, seen: number) => Settlement;
  /** Behind the last byte comes the silence that what is undecided waits for. Default false. */
  readonly quiet?: boolean;
  /** Asked about a protocol that this silence settles. Default: it is not right. */
  readonly settlesQuietly?: (protocol: number) => boolean;
}

/** The streaming classifier: immutable once built, shared by every session of a listener. */
export interface Classifier {
  /** Feeds `bytes` as a live session would. For tests and benches. */
  identify(bytes: Uint8Array, feeding?: Feeding): Decision;
  /**
   * A new one, as Array.prototype.splice would change the automata; what stays is shared with this one. `added` has
   * the automata that come in and how many are routable then.
   */
  splice(start: number, deleteCount: number, added: ClassifierTables): Classifier;
  /** Classifies many flights in one call; answers are positions, -1 unknown, -2 more. For benches. */
  identifyMany(bytes: Uint8Array, ends: Uint32Array, answers: Int32Array): void;
}

export interface EngineOptions {
  /** Sniffed bytes, and what a full socket would not take: `arenaBytes(bufferBytes)` long. */
  readonly arena: ArrayBuffer;
  /** `layout.eventsMax` events of `layout.eventWords` words. */
  readonly events: ArrayBuffer;
  /** One word, the count; then `layout.answersMax` answers of `layout.answerWords` words. */
  readonly answers: ArrayBuffer;
  /** Over a SharedArrayBuffer; the engine adds to cells of the rows that tables and answers name. */
  readonly counters: Float64Array;
  readonly counting: EngineCounting;
  /** Over a SharedArrayBuffer: what the workers of the process share (native/shared/room.h). */
  readonly room: Int32Array;
  /** Kernel pipes held at once to splice through; past that bytes are copied. */
  readonly pipesMax: number;
  /** How much is copied at once. */
  readonly bufferBytes: number;
  /** Called once a loop turn: events [from, to) of the ring are new. */
  readonly onTurn: (from: number, to: number) => void;
}

/** What the engine counts where, by the names of the catalog. */
export interface EngineCounting {
  /** First cell of the row of the worker as a whole. */
  readonly workerRow: number;
  /** A metric's first cell, from the beginning of its row. */
  readonly cells: Readonly<Record<string, number>>;
  /** A histogram's upper bounds, in seconds. */
  readonly buckets: Readonly<Record<string, readonly number[]>>;
}

export interface EngineListener {
  /** Index into `classifiers`. */
  readonly classifier: number;
  /** Rows of the counters: of the listener, and of its sessions that are not identified. */
  readonly row: number;
  readonly unknownRow: number;
  /** 0: silence has no route of its own. */
  readonly silenceMs: number;
  /** Name a session although no configured protocol can match any more. */
  readonly nameUnrouted: boolean;
  /** How long that name is waited for, and for `identifyMinBytes` at most; 0: as long as any. */
  readonly namingMs: number;
  /** A connection from one of these networks begins with a PROXY header. */
  readonly trustedProxies: readonly { readonly address: string; readonly bits: number }[];
  /** So does one over a unix socket. */
  readonly trustsUnix: boolean;
}

/** Where to, and what the socket is set to: the engine reads of an upstream's options what is its own. */
export interface EngineDial {
  readonly address: SocketAddress;
  readonly options: Pick<UpstreamOptions, 'tcp' | 'dscp'>;
}

export interface EngineTables {
  readonly generation: number;
  readonly identifyTimeoutMs: number;
  readonly identifyMinBytes: number;
  /** Of an opening, without a PROXY header; at most a large slab's. */
  readonly identifyMaxBytes: number;
  readonly dialTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly halfCloseTimeoutMs: number;
  readonly maxConnections: number;
  /** Openings under identification that are longer than 4 KiB; 0: no limit. */
  readonly longOpeningsPerSource: number;
  readonly classifiers: readonly Classifier[];
  readonly listeners: readonly EngineListener[];
  /** What `dial` may name, by index. */
  readonly dials: readonly EngineDial[];
}

export interface Engine {
  /** Checks tables and keeps them ready, in the place of those prepared before. Throws where they are wrong. */
  prepare(tables: EngineTables): void;
  /** New sessions use the prepared tables; those under way keep the ones they began with. Can not fail. */
  commit(): void;
  /** Forgets the prepared tables. */
  discard(): void;
  /** Starts accepting on a listening socket (the engine uses its own duplicate). */
  listen(fd: number, listener: number): void;
  /** Starts taking connections from an inbox (handoff mode). */
  takeFrom(inbox: number): void;
  /** Empties the accept queues, then accepts no more. */
  stopAccepting(): void;
  /** Processes the answers ring outside `onTurn`; returns when it is empty. */
  flush(): void;
  /** Connects the session to a new socket pair and returns the other end, for an in-process handler; -1: session gone or out of fds. */
  attach(slot: number, generation: number, row: number): number;
  /** Ends every session that is left, a bounded number a turn. Numbers of `enders` and `reasons`. */
  endAll(by: number, reason: number): void;
  /** Whether new sessions, or one under way, use the tables of that generation. */
  usesPlan(generation: number): boolean;
  /** Sessions alive now. */
  sessions(): number;
  close(): void;
}

/** Accepts in the primary and hands each connection to the least loaded worker's inbox. */
export interface Acceptor {
  listen(fd: number, listener: number): void;
  stopAccepting(): void;
  close(): void;
}

export interface ListenOptions {
  readonly reusePort: boolean;
  readonly backlog: number;
  /** Leaves IPv4 to other sockets; default: `::` takes both families. */
  readonly ipv6Only?: boolean;
  /** Permissions of a unix socket's file, set before anybody can connect; default: as the umask leaves it. */
  readonly mode?: number;
}

/** Sockets by descriptor. */
export interface NativeSockets {
  /** Opens, binds and listens. Throws an Error with `code` (EADDRINUSE, EACCES …). */
  listen(address: SocketAddress, options: ListenOptions): number;
  /** The address a socket is bound to. */
  localAddress(fd: number): SocketAddress;
  closeFd(fd: number): void;
  /** Sends one datagram to a Unix socket (`@…`: an abstract one), as sd_notify(3) does. Throws with `code`. */
  notify(path: string, text: string): void;
}

/** The process, and the thread that calls. */
export interface NativeProcess {
  /** Raises the soft limit of open files to the hard one. */
  raiseFileLimit(): { soft: number; hard: number };
  /** _exit(2): ends the process at once. */
  exit(status: number): never;
  /** CPU time of the calling thread so far. */
  threadCpuMs(): number;
  /** Runs the promise jobs of the calling thread that wait; none where one of them is running. */
  runMicrotasks(): void;
  /** Collects the calling thread's garbage and gives its pages back: the thread stands still for 30 to 90 ms. */
  compactHeap(): void;
  /** The same in steps, between other work; less is given back. */
  compactHeapSoon(): void;
}

/** Handoff mode. */
export interface NativeHandoff {
  /** No more connections are on their way to the workers than may still be open, and a batch. */
  readonly Acceptor: new (
    inboxes: readonly number[],
    limit: { room: Int32Array; maxConnections: number },
  ) => Acceptor;
  /** Makes an inbox for a worker; it outlives the worker, so a replacement finds what was queued. */
  createInbox(): number;
  closeInbox(inbox: number): void;
}

/** What both sides of the border have to agree on. */
export interface NativeAgreement {
  /** The numbering of codes.h: a test compares it with src/model/session.ts and src/worker/rings.ts. */
  readonly codes: Readonly<
    Record<'stages' | 'enders' | 'reasons' | 'closings' | 'causes' | 'events' | 'answers', readonly string[]>
  >;
  readonly layout: NativeLayout;
  /** How long an engine's arena has to be. */
  arenaBytes(bufferBytes: number): number;
}

/** Sizes and offsets in memory that both sides see; words are 32 bits. */
export interface NativeLayout {
  readonly eventWords: number;
  readonly eventsMax: number;
  readonly answerWords: number;
  readonly answersMax: number;
  /** Word offsets of an event, and of its numbers in 64-bit floats. */
  readonly event: Readonly<Record<string, number>>;
  readonly eventNumber: Readonly<Record<string, number>>;
  readonly answer: Readonly<Record<string, number>>;
  readonly room: Readonly<Record<string, number>>;
}

export interface Native extends NativeSockets, NativeProcess, NativeHandoff, NativeAgreement {
  readonly Classifier: new (tables: ClassifierTables) => Classifier;
  readonly Engine: new (options: EngineOptions) => Engine;
}

const require = createRequire(import.meta.url);

/** `ANYPORT_ADDON` names another build, e.g. one with sanitizers. */
export const native = require(process.env.ANYPORT_ADDON ?? '../build/Release/anyport.node') as Native;

/**
 * The interface of native/, with its types. Only this module loads the addon.
 *
 * Calls across the border are rare, batched and carry plain data: an engine writes events to a ring in shared memory
 * and calls `onTurn` once per loop turn; TypeScript writes answers to a second ring, which the engine reads when the
 * call returns.
 */
import { createRequire } from 'node:module';
import type {
  EngineKcpProfile,
  KcpAgreed,
  KcpEndpoint,
  KcpEstablished,
  KcpEvent,
  KcpLink,
} from './addon/kcp.js';
import type { SocketAddress } from './model/address.js';
import type { Automaton, ClassifierTables, Decision, Settlement } from './model/classifier.js';
import type { ListeningSocket } from './model/message.js';
import type { PlanAdmission } from './model/plan.js';
import type { UpstreamOptions } from './model/upstream-options.js';

export type { ClassifierTables, Decision } from './model/classifier.js';

/** How `identify` feeds bytes to a classifier. */
export interface Feeding {
  /** Ascending offsets at which reads end before the last byte. Default: one read. */
  readonly cuts?: Uint32Array;
  /** Protocols without a route are candidates too. Default true. */
  readonly nameUnrouted?: boolean;
  /** End of input: answer with the best match, never `more`. Default false. */
  readonly ended?: boolean;
  /** Called after a read with the matching protocol and the bytes so far. Default: confirms. */
  readonly confirm?: (protocol: number, seen: number) => Settlement;
  /** Silence follows the last byte, long enough for any `quietMs`. Default false. */
  readonly quiet?: boolean;
  /** Called with a protocol that waits for this silence. Default: refuses. */
  readonly settlesQuietly?: (protocol: number) => boolean;
}

declare const isRecognizer: unique symbol;

/** One protocol's automaton, checked and converted once; classifiers share it. */
export interface Recognizer {
  readonly [isRecognizer]: true;
}

/** The streaming classifier: immutable once built, shared by every session of a listener. */
export interface Classifier {
  /** Feeds `bytes` as a live session would. For tests and benches. */
  identify(bytes: Uint8Array, feeding?: Feeding): Decision;
  /**
   * Returns a copy with the recognizers changed as by Array.prototype.splice; `routable`: the resulting number of
   * routable ones.
   */
  splice(start: number, deleteCount: number, added: readonly Recognizer[], routable: number): Classifier;
  /**
   * Classifies many flights in one call; answers are indices, -1 unknown, -2 more. `whole`: they are datagrams, of which
   * nothing follows. For benches.
   */
  identifyMany(bytes: Uint8Array, ends: Uint32Array, answers: Int32Array, whole?: boolean): void;
}

/** An immutable set of IPv4 and IPv6 networks (native/admission/prefixes.h). */
export interface Prefixes {
  /** Lets go of the memory, for which the collector would take its time; the set is empty then, the gate's is not. */
  release(): void;
  /** Whether an address literal is in one of them; IPv4-mapped IPv6 is IPv4. */
  contains(address: string): boolean;
  /** Of addresses of 16 bytes each; IPv4 is mapped. Answers are 1 and 0. For benches. */
  containsMany(addresses: Uint8Array, answers: Uint8Array): void;
  /** Networks as written, also those within others. */
  readonly entries: number;
  /** Of memory. */
  readonly bytes: number;
}

/** Why a file is no list of networks. */
export interface ListFault {
  readonly fault: 'unreadable' | 'not_regular' | 'too_large' | 'too_long' | 'wrong_lines';
  /** Of `unreadable`; with `code`. */
  readonly error?: Error;
  /** Number of wrong lines, and the first of them, printable and cut. */
  readonly wrong: number;
  readonly lines: readonly { readonly number: number; readonly text: string }[];
}

export interface NativePrefixes {
  /** Throws when a text is no network. */
  new (networks: readonly string[]): Prefixes;
  /** Reads a file of one network a line on a thread of its own. */
  read(path: string): Promise<Prefixes | ListFault>;
  /** All of them as one, likewise. */
  join(parts: readonly Prefixes[]): Promise<Prefixes>;
}

export interface EngineOptions {
  /** Memory of all slabs: openings, and bytes that a full socket did not take. `arenaBytes(bufferBytes)` long. */
  readonly arena: ArrayBuffer;
  /** `layout.eventsMax` events of `layout.eventWords` words. */
  readonly events: ArrayBuffer;
  /** One count word, `layout.answersMax` answers of `layout.answerWords` words, `layout.answerBytes` bytes. */
  readonly answers: ArrayBuffer;
  /** Over a SharedArrayBuffer; the engine adds to cells of the rows named in tables and answers. */
  readonly counters: Float64Array;
  readonly counting: EngineCounting;
  /** Over a SharedArrayBuffer: the room shared by all workers (native/shared/room.h). */
  readonly room: Int32Array;
  /** Over a SharedArrayBuffer of all workers: `layout.bucketWords` for limits of speed (native/shared/buckets.h). */
  readonly buckets: BigInt64Array;
  /** Upper bound on splice pipes; beyond it, copy. */
  readonly pipesMax: number;
  /** Size of the copy buffer. */
  readonly bufferBytes: number;
  /** Number of the worker, below 256: links that clients begin have it in their ids, by which datagrams are steered. */
  readonly worker: number;
  /** Called once per loop turn with new events [from, to) of the ring. */
  readonly onTurn: (from: number, to: number) => void;
  /** Called with each event of links; absent: no handshake is ever answered. */
  readonly onKcp?: (event: KcpEvent) => void;
}

/** Counter layout for the engine, by names of the catalog. */
export interface EngineCounting {
  /** First cell of the worker's row. */
  readonly workerRow: number;
  /** Metric → offset of its first cell in the row. */
  readonly cells: Readonly<Record<string, number>>;
  /** Histogram → upper bounds in seconds. */
  readonly buckets: Readonly<Record<string, readonly number[]>>;
}

export interface EngineListener {
  /** Constant for the daemon's life. */
  readonly id: number;
  /** Index into `classifiers`, of streams. */
  readonly classifier: number;
  /** Likewise of datagrams; -1: takes none. */
  readonly datagramClassifier: number;
  /** Counter rows of the listener and of its unidentified sessions. */
  readonly row: number;
  readonly unknownRow: number;
  /** Index of QUIC in the classifier of datagrams; -1: not there. */
  readonly quic: number;
  /** Silence before `on_silence`; 0: not configured. */
  readonly silenceMs: number;
  /** Go on identifying a session when no routable protocol can match any more. */
  readonly nameUnrouted: boolean;
  /** Upper bound on that wait and on the wait for `identifyMinBytes`; 0: the identify timeout. */
  readonly namingMs: number;
  /** A route may be decided before the first byte: report each session that has no PROXY header to wait for. */
  readonly asksAtAccept: boolean;
  /** Connections from these networks must start with a PROXY header. */
  readonly trustedProxies: readonly { readonly address: string; readonly bits: number }[];
  /** Connections over a Unix socket must start with a PROXY header. */
  readonly trustsUnix: boolean;
  /** Connections at once; 0: no limit. */
  readonly maxConnections: number;
  /** Index into `kcpProfiles`: its datagrams may be those of links, whose streams are its connections; -1: none are. */
  readonly kcp: number;
  /** All other datagrams are dropped. */
  readonly kcpOnly: boolean;
}

/** How TLS to a server is made; opaque. */
export interface TlsClient {
  readonly [opaque]: 'TlsClient';
}
declare const opaque: unique symbol;

/** What the engine knows of an upstream; its index is that of the Plan. */
export interface EngineUpstream {
  /** Constant for the daemon's life. */
  readonly id: number;
  /** Counter row. */
  readonly row: number;
  /** Sessions at once for each endpoint, all workers together; 0: no limit. */
  readonly maxConnections: number;
  /** Sessions that may wait for a place, all workers together, and how long. */
  readonly queueLength: number;
  readonly queueTimeoutMs: number;
  readonly dialTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly halfCloseTimeoutMs: number;
  readonly bandwidth: UpstreamOptions['bandwidth'];
  readonly udp: EngineUdp;
  /** Clients that are followed by connection ids. */
  readonly quic: {
    readonly follows: boolean;
    /** Of each id that endpoints issue; 0: as learned. */
    readonly idBytes: number;
  };
  /** Index into `kcpProfiles`: sessions go through a link to the endpoint; -1: by themselves. */
  readonly kcp: number;
  /** Its connections are TLS as this says; null: they are plain. */
  readonly tls: TlsClient | null;
  /** Ids. */
  readonly endpoints: readonly number[];
}

/** Flows of datagrams. */
export interface EngineUdp {
  readonly idleTimeoutMs: number;
  /** Answers for each datagram of the client, after which the flow ends; 0: no limit. */
  readonly responses: number;
  /** Bytes to a client that has not been heard of since, as a multiple of what it sent; 0: no limit. */
  readonly amplification: number;
  /** What becomes of a flow whose endpoint is gone. */
  readonly onReload: 'keep' | 'move' | 'close';
  /** `datagram`: each one is a flow of its own. */
  readonly per: 'flow' | 'datagram';
}

/** The addresses of an upstream and its options, of which the engine reads the socket options. */
export interface EngineDials {
  readonly addresses: readonly SocketAddress[];
  readonly options: Pick<UpstreamOptions, 'tcp' | 'dscp' | 'source'>;
}

export interface EngineTables {
  readonly generation: number;
  readonly identifyTimeoutMs: number;
  readonly identifyMinBytes: number;
  /** Read limit of an opening, excluding a PROXY header; at most the size of the largest buffers. */
  readonly identifyMaxBytes: number;
  readonly maxConnections: number;
  /** Flows of datagrams at once, all workers together: in all, and of one source; 0: none, and no limit. */
  readonly flowsMax: number;
  readonly flowsPerSource: number;
  /** Connections held in the tarpit, all workers together, and how long. */
  readonly tarpitMax: number;
  readonly tarpitHoldMs: number;
  /** Upper bound on openings over 4 KiB per source; 0: no limit. */
  readonly longOpeningsPerSource: number;
  readonly admission: PlanAdmission;
  readonly classifiers: readonly Classifier[];
  readonly listeners: readonly EngineListener[];
  readonly upstreams: readonly EngineUpstream[];
  /** Targets of `dial` answers, by index. */
  /** By upstream; the engine numbers the addresses in their order. */
  readonly dials: readonly EngineDials[];
  /** Endpoints to which connections are opened ahead. */
  readonly warmed: readonly EngineWarmed[];
  readonly kcpProfiles: readonly EngineKcpProfile[];
}

export interface EngineWarmed {
  /** Id. */
  readonly endpoint: number;
  /** Index. */
  readonly upstream: number;
  /** Its addresses: a range of the dials. */
  readonly first: number;
  readonly count: number;
  /** Connections at most, of this worker. */
  readonly most: number;
  readonly maxIdleMs: number;
}

export interface Engine {
  /**
   * Validates tables and keeps them ready, replacing those prepared before, with duplicates of the sockets that are new.
   * `sockets`: all to accept on; those that the primary has closed meanwhile are left out. Throws if tables are invalid
   * or descriptors are lacking.
   */
  prepare(tables: EngineTables, sockets: readonly ListeningSocket[]): void;
  /**
   * New sessions use the prepared tables; existing sessions keep theirs. Connections waiting at sockets that go begin
   * with the tables in force; at those that stay, with the new ones. Can not fail.
   */
  commit(): void;
  /** Drops what is prepared. */
  discard(): void;
  /** Drains sockets once more, by number, and lets go of them: no connection comes there any more. */
  release(sockets: readonly number[]): void;
  /** Starts taking connections from an inbox (handoff mode). */
  takeFrom(inbox: number): void;
  /**
   * Drains the backlogs, then stops accepting. Flows go on at their sockets, which take no new ones; `handsOver`: another
   * process has these sockets from now on, and the flows end.
   */
  stopAccepting(handsOver?: boolean): void;
  /** Processes the answer ring outside of `onTurn`, until it is empty. */
  flush(): void;
  /**
   * Relays the session to a new socket pair; returns the handler's end, or -1 if session or descriptors are gone. Of a flow
   * it is a UDP socket on 127.0.0.1 that is connected to the engine's.
   */
  attach(slot: number, generation: number, row: number, upstream: number): number;
  /**
   * Opens a relay of datagrams for the session's client (RFC 1928 section 7), replies where it is, and relays the session to
   * a new socket pair. The other end; or a negative errno. EDQUOT: the upstream has all sessions that it may have; EUSERS: too
   * many associations; EOPNOTSUPP: the client has not come over TCP.
   *
   * @param taken - Length of the request.
   * @param clientPort - That the client's datagrams come from; 0: where the first one does.
   */
  associate(
    slot: number,
    generation: number,
    row: number,
    endpoint: number,
    endpointRow: number,
    upstream: number,
    taken: number,
    clientPort: number,
  ): number;
  /** Closes the relay of a session that has ended, and ends its flows. */
  dissociate(slot: number, generation: number): void;
  /** The address that a session's client connected to; null: there is no such session. */
  destination(slot: number, generation: number): SocketAddress | null;
  /**
   * Writes live sessions from a slot on into `memory`, which holds `layout.listingWords` words: the number of rows, the
   * slot at which the next slice starts (0: none), then rows of `layout.rowWords` words. Bounded work per call.
   */
  list(fromSlot: number, memory: ArrayBuffer): void;
  /** Resets both ends of a session. Numbers of `enders` and `reasons`. False: there is none of this id. */
  end(slot: number, generation: number, by: number, reason: number): boolean;
  /** Ends all sessions, a bounded number per turn. Numbers of `enders` and `reasons`. */
  endAll(by: number, reason: number): void;
  /** The same for the sessions that are relayed to this endpoint, by id; not 0. */
  endOf(endpoint: number, by: number, reason: number): void;
  /** Whether new or existing sessions use the tables of this generation. */
  usesPlan(generation: number): boolean;
  /** Number of live sessions. */
  sessions(): number;
  /** Our hello, of 512 bytes, with link id and cookie left at zero: it is repeated until an answer comes. False, as below: there is no such link, or nothing of the kind is awaited. */
  kcpSend(link: number, hello: Uint8Array): boolean;
  kcpEstablish(link: number, agreed: KcpEstablished): boolean;
  /** The answer was not genuine: another one may come. */
  kcpFail(link: number): boolean;
  /** `answer`: message 2 of the handshake. */
  kcpAccept(handle: number, agreed: KcpAgreed & { readonly answer: Uint8Array }): boolean;
  /** In silence. */
  kcpRefuse(handle: number): boolean;
  /** Ends a link now. */
  kcpEnd(link: number): boolean;
  kcpLinks(): KcpLink[];
  close(): void;
}

/** Networks of one kind of judgement; null: none. */
export interface AdmissionLists {
  /** Refused, whoever else trusts them. */
  readonly denied: Prefixes | null;
  /** If there are any, all others are refused. */
  readonly allowed: Prefixes | null;
  /** Not limited as a source, and never banned. */
  readonly trusted: Prefixes | null;
}

/** A source that is refused for a time. */
export interface BannedSource {
  /** Of IPv6 the first one of its /64. */
  readonly address: string;
  readonly reason: 'attempts' | 'failures' | 'operator' | 'cluster';
  readonly ageMs: number;
  readonly leftMs: number;
}

export interface AdmissionCounts {
  /** Sources that are known. */
  readonly sources: number;
  /** Sources forgotten for new ones. */
  readonly evictions: number;
  /** Attempts of sources for which there was no place. */
  readonly crowded: number;
  readonly bansActive: number;
  /** Bans made. */
  readonly bans: Readonly<Record<BannedSource['reason'], number>>;
  readonly lifted: number;
  /** Bans that ended early, for new ones. */
  readonly displaced: number;
  /** Sessions under identification, where these are limited. */
  readonly identifying: number;
  /** Those reset because there were too many: of their source, in all. */
  readonly evictedBySource: number;
  readonly evictedInAll: number;
}

/** Who may connect, for all workers of a room (native/admission/gate.h). */
export interface Admission {
  /** Lists for all listeners, and those that some have besides, by id. The next connection is judged by them. */
  setLists(lists: {
    readonly all: AdmissionLists;
    readonly listeners: readonly (AdmissionLists & { readonly id: number })[];
  }): void;
  /** Oldest first; bounded, and no more than `most`. */
  bans(most?: number): BannedSource[];
  /** Throws when it is no address. Null: it is not banned. */
  banOf(address: string): BannedSource | null;
  /** Throws when it is no address. False: there is no place for another ban. */
  ban(address: string, ms: number, by?: 'operator' | 'cluster'): boolean;
  /** False: it was not banned. */
  lift(address: string): boolean;
  counts(): AdmissionCounts;
}

/** What an acceptor does under one Plan. */
export interface Handing {
  /** Of the Plan. */
  readonly generation: number;
  /** `listener`: its id. */
  readonly sockets: readonly ListeningSocket[];
  /** Of the workers that have the Plan; at least one. */
  readonly inboxes: readonly number[];
  /** Upper bound on connections in flight to workers: free places plus one accept batch. */
  readonly maxConnections: number;
  /** At most, by one socket; as many more may be in flight to workers beyond `maxConnections`. */
  readonly acceptsPerTurn: number;
}

/** Accepts in the primary and hands each connection to the least loaded worker's inbox. */
export interface Acceptor {
  /** Does what can fail, changes nothing; replaces what was prepared before. Throws without descriptors. */
  prepare(next: Handing): void;
  discard(): void;
  /** Call before a worker commits: what waits at sockets that go is in the inboxes afterwards. */
  leave(): void;
  /** Call when all workers have committed. */
  commit(): void;
  /** As an engine's. */
  release(sockets: readonly number[]): void;
  stopAccepting(): void;
  close(): void;
}

export interface ListenOptions {
  readonly reusePort: boolean;
  readonly backlog: number;
  /** IPV6_V6ONLY. Default: `::` accepts both families. */
  readonly ipv6Only?: boolean;
  /** Permissions of a Unix socket's file, set before listen(2). Default: by umask. */
  readonly mode?: number;
}

export interface UdpOptions {
  readonly reusePort: boolean;
  /** IPV6_V6ONLY. Default: `::` takes both families. */
  readonly ipv6Only?: boolean;
  /** SO_RCVBUF in bytes: as much of it as this process may have; 0: the system's default. */
  readonly receiveBuffer: number;
}

/** Sockets by descriptor. */
export interface NativeSockets {
  /** Opens, binds and listens. Throws an Error with `code` (EADDRINUSE, EACCES …). */
  listen(address: SocketAddress, options: ListenOptions): number;
  /** Opens and binds a UDP socket. Throws as `listen`. */
  bindUdp(address: SocketAddress, options: UdpOptions): number;
  /** Makes an inherited UDP socket like one of `bindUdp`. Throws EPROTOTYPE for what is no UDP socket. */
  adoptUdp(fd: number, options: Pick<UdpOptions, 'receiveBuffer'>): void;
  /** Returns how many bytes the socket has then: beyond net.core.rmem_max only with CAP_NET_ADMIN. */
  setReceiveBuffer(fd: number, bytes: number): number;
  /** The address a socket is bound to. */
  localAddress(fd: number): SocketAddress;
  /** Makes an inherited listening stream socket like one of `listen`. Throws EPROTOTYPE for what is no stream socket, EINVAL for one that does not listen. */
  adopt(fd: number): void;
  /** Processes that are started from now on get no descriptor that is open now, but the standard ones. */
  keepDescriptors(): void;
  /** `target` becomes a duplicate of `fd` (dup2). */
  redirect(fd: number, target: number): void;
  /** The kernel's number of a socket (SO_COOKIE), which no other has while the system runs. Throws with `code`. */
  socketNumber(fd: number): number;
  /**
   * New connections of a group of sockets on one address (SO_REUSEPORT) go to the first `sockets` of them alone, in the
   * order of their opening; 0: to all. So do datagrams, those of one client to one socket; with `links` packets of links
   * by their link's id, so that a client whose address changes stays with its worker. `fd`: any of the group. Throws with
   * `code`.
   */
  steer(fd: number, sockets: number, links?: boolean): void;
  closeFd(fd: number): void;
  /** Errors of dialling beside errno. */
  readonly dialErrors: Readonly<Record<'no_such_source' | 'families_differ', number>>;
  /**
   * TLS to a server of this name, or address, of whose certificate one of these authorities (PEM) vouches. The same for
   * all threads that ask for the same, with the tickets that it has been given. Rejects when the PEM can not be read.
   */
  tlsClient(server: string, authorities: string): Promise<TlsClient>;
  /** What TLS says of an error of dialling; null: it is none of TLS. */
  tlsProblem(error: number): string | null;
  /** Sends one datagram to a Unix socket (`@…`: abstract), as sd_notify(3). Throws with `code`. */
  notify(path: string, text: string): void;
}

/** A packet that came over a pair of packet sockets, with duplicates of the descriptors that were sent. */
export interface Packet {
  readonly bytes: Uint8Array;
  readonly descriptors: readonly number[];
}

/** Calls back while a descriptor is readable or its peer has closed. Does not keep the process alive. */
export interface Watcher {
  /** True: also once the descriptor is writable; false: no more. */
  await(writable: boolean): void;
  /** Before the descriptor is closed. */
  close(): void;
}

/** Packets with descriptors between processes (native/net/packets.h). */
export interface NativePackets {
  readonly packetBytesMax: number;
  readonly packetDescriptorsMax: number;
  readonly Watcher: new (fd: number, onReady: () => void) => Watcher;
  /** Two connected ends. */
  packetPair(): [number, number];
  /** False: the buffer is full. Throws with `code` (EPIPE, EMSGSIZE …). */
  sendPacket(fd: number, bytes: Uint8Array, descriptors: readonly number[]): boolean;
  /** `undefined`: nothing there; `null`: the peer has closed. Throws with `code` (EMFILE, EMSGSIZE …). */
  receivePacket(fd: number): Packet | null | undefined;
}

/** Operations on the process and the calling thread. */
export interface NativeProcess {
  /** Raises the soft limit of open files to the hard limit. */
  raiseFileLimit(): { soft: number; hard: number };
  /** _exit(2): ends the process at once. */
  exit(status: number): never;
  /** CPU time of the calling thread so far. */
  threadCpuMs(): number;
  /** Runs the calling thread's pending promise jobs; no effect inside a promise job. */
  runMicrotasks(): void;
  /** Garbage-collects the calling thread's heap and returns its pages; blocks the thread for 30 to 90 ms. */
  compactHeap(): void;
  /** As compactHeap, but incremental; returns less memory. */
  compactHeapSoon(): void;
  /** Gives free memory outside of V8's heap back to the system. */
  trimMemory(): void;
}

/** Whom a process becomes. */
export interface NativeIdentity {
  /** Whose supplementary groups it gets; null: `gid` alone. */
  readonly user: string | null;
  readonly uid: number;
  readonly gid: number;
}

/** User, groups and capabilities. Masks have a bit for each capability, by its number in capabilities(7). */
export interface NativePrivileges {
  /**
   * Another user, in every thread. Afterwards the calling thread, and those that it makes, have those of `capabilities`
   * that it had, and the other threads none. Throws with `code`; then the process may have changed in part.
   */
  become(identity: NativeIdentity, capabilities: number): void;
  /** The calling thread, and threads and processes that it makes, have no capabilities beside these. Throws with `code`. */
  keepCapabilities(capabilities: number): void;
  /** Programs that the calling thread starts have these of its capabilities. Throws with `code`. */
  passCapabilities(capabilities: number): void;
  /** no_new_privs in every thread; no core dump, and no debugger of the same user. Permanent. Throws with `code`. */
  harden(): void;
}

/** Handoff mode. */
export interface NativeHandoff {
  readonly Acceptor: new (options: { room: Int32Array }) => Acceptor;
  /** Creates an inbox for a worker; it outlives the worker, so the successor finds queued connections. */
  createInbox(): number;
  closeInbox(inbox: number): void;
}

/** Codes and layout shared by both sides of the border. */
export interface NativeAgreement {
  /** Numbering of codes.h; a test compares it with src/model/session.ts and src/worker/rings.ts. */
  readonly codes: Readonly<
    Record<
      'stages' | 'enders' | 'reasons' | 'closings' | 'causes' | 'checks' | 'events' | 'answers',
      readonly string[]
    >
  >;
  readonly layout: NativeLayout;
  /** Sizes of buffers in an engine's arena, ascending; names are those of the metrics' label `tier`. */
  bufferTiers(bufferBytes: number): readonly { name: string; bytes: number; count: number }[];
  /** Required size of an engine's arena. */
  arenaBytes(bufferBytes: number): number;
}

/** Sizes and offsets in shared memory; words are 32 bits. */
export interface NativeLayout {
  readonly eventWords: number;
  readonly eventsMax: number;
  readonly answerWords: number;
  readonly answersMax: number;
  /** Bytes of answers, behind the ring, and of one answer. */
  readonly answerBytes: number;
  readonly sendBytesMax: number;
  readonly ownAddressesMax: number;
  readonly ownAddressBytes: number;
  /** Word offsets of an event, and of its numbers in 64-bit floats. */
  readonly event: Readonly<Record<string, number>>;
  readonly eventNumber: Readonly<Record<string, number>>;
  readonly answer: Readonly<Record<string, number>>;
  /** Words of a listing (native/desk/listing.h), of its head, and of a row. */
  readonly listingWords: number;
  readonly listingHeadWords: number;
  readonly rowWords: number;
  /** Word offsets of a row, and of its numbers in 64-bit floats. */
  readonly row: Readonly<Record<string, number>>;
  readonly rowNumber: Readonly<Record<string, number>>;
  readonly room: Readonly<Record<string, number>>;
  /** 64-bit words of the buckets. */
  readonly bucketWords: number;
}

export interface Native
  extends NativeSockets,
    NativePackets,
    NativeProcess,
    NativePrivileges,
    NativeHandoff,
    NativeAgreement {
  readonly Classifier: new (tables: ClassifierTables) => Classifier;
  readonly Recognizer: new (automaton: Automaton) => Recognizer;
  readonly Engine: new (options: EngineOptions) => Engine;
  /**
   * Whether servers of this process, in any thread, tell clients that their links are not known here; false: another process
   * has the sockets, too, and may have the links.
   */
  readonly allowKcpResets: (allowed: boolean) => void;
  readonly KcpEndpoint: new (options: {
    readonly profile: EngineKcpProfile;
    readonly onEvent: (event: KcpEvent) => void;
  }) => KcpEndpoint;
  readonly Prefixes: NativePrefixes;
  readonly Admission: new (options: { room: Int32Array }) => Admission;
}

const require = createRequire(import.meta.url);

/** `ANYPORT_ADDON` names another build, e.g. one with sanitizers. */
export const native = require(process.env.ANYPORT_ADDON ?? '../build/Release/anyport.node') as Native;

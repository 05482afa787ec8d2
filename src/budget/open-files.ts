/**
 * Open files (RLIMIT_NOFILE): who takes them, and how many connections and splice pipes that leaves. What is kept for
 * metrics, health and the control interface is never given to connections, so they answer while every place is taken.
 */
import { adminLimits } from '../admin/server.js';
import { visitorLimits } from '../admin/visitors.js';
import { countText } from '../base/figures.js';
import { proberLimits } from '../health/prober.js';
import type { Demand } from './demand.js';
import { type Item, itemsOf, itemsText, type Need, totalOf } from './need.js';

export const fileCosts = {
  /** Node's loop, its threads and pipes, standard streams, the log, the file watch; measured: 21. */
  process: 24,
  /** Threads that read and try a changed configuration (8 each), and the files they read. */
  reading: 20,
  /** Name servers, by UDP and TCP. */
  resolver: 6,
  /** The pair of sockets, and the standard error of the process that follows. */
  upgrade: 4,
  /** Node's loop, the epoll set, eventfds of the inbox and of queued sessions; measured: 8. */
  worker: 9,
  /** The primary's socket and the worker's duplicate. */
  listeningSocket: 2,
  /** A server's socket, and a newcomer before the oldest of its clients goes. */
  server: 2,
  /** Client socket and endpoint socket. */
  connection: 2,
  /** Client socket, and the socket pair between engine and handler. */
  handledConnection: 3,
  /** Beside it: the socket pair between engine and TLS to a proxy. */
  secured: 2,
  /** Its socket to the endpoint. */
  flow: 1,
  /** The socket pair between engine and handler. */
  handledFlow: 2,
  /** Flows that are left, if they are wanted, while connections lose places. */
  flowsMin: 256,
  /** Refused clients of a worker that are read from until they close (native/stream/lingering). */
  lingering: 128,
  /** Attempts beside the first, of a session that tries the addresses of a name (RFC 8305). */
  race: 15,
  pipe: 2,
  /** Up to 1 MiB of kernel memory each, mostly 256 KiB; sessions without a pipe copy. */
  pipesPerWorkerMax: 256,
  /** Handoff mode: what the primary accepts at once, usually and where files are few (native/engine/acceptor). */
  acceptsPerTurn: 16,
  acceptsPerTurnMin: 4,
} as const;

const CONNECTIONS = 'server.max_connections';
const FLOWS = 'server.udp.max_flows';
const WORKERS = 'server.workers';

/** In flight beyond the limit before the primary waits, and accepted meanwhile: so many times its accepts in a turn. */
const ON_THEIR_WAY = 2;

const one = (wanted: boolean): number => (wanted ? 1 : 0);

/** A stream of a link is a socket pair instead of a socket, and TLS to a proxy a pair beside it. */
const connectionCost = ({ handlers, links, secured }: Demand): number =>
  (handlers ? fileCosts.handledConnection : fileCosts.connection) +
  Math.max(one(links.out), secured ? fileCosts.secured : 0) +
  one(links.in);
const flowCost = ({ handlers }: Demand): number => (handlers ? fileCosts.handledFlow : fileCosts.flow);

export const fileNeeds: readonly Need<Demand>[] = [
  {
    name: 'connections',
    count: ({ connections }) => connections,
    each: connectionCost,
    why: 'the socket of the client and that of the endpoint, or the pair to a handler, a KCP link or a proxy by TLS',
    key: CONNECTIONS,
  },
  {
    name: 'flows',
    count: ({ flows }) => flows,
    each: flowCost,
    why: 'the socket to the endpoint, or the pair to a handler; clients share the listening socket',
    key: FLOWS,
  },
  {
    name: 'held by the tarpit',
    count: ({ tarpit }) => tarpit,
    each: 1,
    why: 'they are no sessions',
    key: 'server.tarpit_max',
  },
  {
    name: 'refused clients',
    count: ({ proxy, workers }) => (proxy ? workers : 0),
    each: fileCosts.lingering,
    why: 'connect_proxy; read from until they close, so that the answer arrives',
  },
  {
    name: 'opened ahead',
    count: ({ warm }) => warm,
    each: 1,
    why: 'for each endpoint of a pool',
    key: 'upstreams.NAME.pool.warm',
  },
  {
    name: 'links',
    count: ({ linkSockets }) => linkSockets,
    each: 1,
    why: 'over: kcp; one for each worker and endpoint',
  },
  {
    name: 'health checks',
    count: ({ checked }) => Math.min(checked, proberLimits.probesMax),
    each: 1,
    why: `endpoints asked at once, ${proberLimits.probesMax} at most`,
  },
  {
    name: 'races',
    count: ({ names, proxy, workers }) => (names || proxy ? workers : 0),
    each: fileCosts.race,
    why: 'addresses of a name that are tried at once, a session of each worker',
  },
  {
    name: 'on their way to workers',
    count: ({ handoff }) => one(handoff),
    each: ON_THEIR_WAY * fileCosts.acceptsPerTurn,
    why: 'accept: handoff; over the limit, to be refused',
  },
  {
    name: 'listening sockets',
    count: ({ listeningSockets }) => listeningSockets,
    each: fileCosts.listeningSocket,
    why: "the primary's and the worker's; one for each worker, but for streams with accept: handoff",
  },
  {
    name: 'workers',
    count: ({ workers }) => workers,
    each: fileCosts.worker,
    why: 'loop, epoll set, inbox, queue',
    key: WORKERS,
  },
  {
    name: 'for metrics and health',
    count: ({ monitors }) => (monitors > 0 ? visitorLimits.connectionsMax + monitors * fileCosts.server : 0),
    each: 1,
    why: 'kept back, so that they answer when all else is taken',
  },
  {
    name: 'for the control interface',
    count: ({ control }) => (control ? adminLimits.connectionsMax + fileCosts.server : 0),
    each: 1,
    why: 'kept back likewise',
  },
  {
    name: 'for reading a changed configuration',
    count: () => 1,
    each: fileCosts.reading,
    why: 'kept back: two threads, and files',
  },
  {
    name: 'for an upgrade in place',
    count: () => 1,
    each: fileCosts.upgrade,
    why: 'kept back',
  },
  {
    name: 'for name servers',
    count: ({ names }) => one(names),
    each: fileCosts.resolver,
    why: 'UDP and TCP, three servers',
  },
  {
    name: 'for the process itself',
    count: () => 1,
    each: fileCosts.process,
    why: 'Node, its threads, standard streams, the log',
  },
];

export interface FileFit {
  /** Connections that can be served, at most the configured number; 0 when the limit does not suffice for one. */
  readonly connections: number;
  /** Flows likewise. */
  readonly flows: number;
  /** Descriptors needed for the configured numbers. */
  readonly needed: number;
  /** Splice pipes per worker from the remaining descriptors, up to `pipesPerWorkerMax`; beyond it, copy. */
  readonly pipes: number;
  /** Handoff mode: where files are few the primary accepts fewer at once, for those are in flight beyond the limit. */
  readonly acceptsPerTurn: number;
  /** Who takes them. */
  readonly items: readonly Item[];
  /** Numbers that are less than configured. */
  readonly lowered: readonly Lowered[];
}

export interface Lowered {
  readonly key: string;
  readonly wanted: number;
  readonly possible: number;
}

/** Flows lose their places first: their number is a guard, which few configurations mean to reach. */
export function fitOpenFiles(demand: Demand, limit: number): FileFit {
  const items = itemsOf(fileNeeds, demand);
  const needed = totalOf(items);
  const [connectionFiles, flowFiles] = [connectionCost(demand), flowCost(demand)];
  const isShort = limit < needed;
  const acceptsPerTurn = isShort ? fileCosts.acceptsPerTurnMin : fileCosts.acceptsPerTurn;
  const saved = demand.handoff ? ON_THEIR_WAY * (fileCosts.acceptsPerTurn - acceptsPerTurn) : 0;
  const fixed = needed - saved - demand.connections * connectionFiles - demand.flows * flowFiles;
  const spare = Math.max(0, limit - fixed);
  const fewest = Math.min(demand.flows, fileCosts.flowsMin, Math.floor(spare / 2 / flowFiles));
  const connections = Math.min(
    demand.connections,
    Math.floor((spare - fewest * flowFiles) / connectionFiles),
  );
  const left = spare - connections * connectionFiles;
  const flows = Math.min(demand.flows, Math.floor(left / flowFiles));
  const forPipes = (left - flows * flowFiles) / fileCosts.pipe / demand.workers;
  const pipes = Math.min(Math.floor(forPipes), fileCosts.pipesPerWorkerMax);
  const lowered = [
    { key: CONNECTIONS, wanted: demand.connections, possible: connections },
    { key: FLOWS, wanted: demand.flows, possible: flows },
  ].filter(({ wanted, possible }) => possible < wanted);
  return { connections, flows, needed, pipes, acceptsPerTurn, items, lowered };
}

/** `ulimit -n 2148 …`. */
export const raiseText = (needed: number): string =>
  `raise it by \`ulimit -n ${needed}\` (in a systemd unit LimitNOFILE=${needed})`;

/** What is short, what takes it, and what to raise or lower. */
export function shortageText({ needed, items, lowered }: FileFit, limit: number): string {
  const possible = lowered.filter((each) => each.possible > 0);
  const lower =
    possible.length === lowered.length
      ? possible.map((each) => `${each.key} to ${each.possible}`).join(' and ')
      : lowerable(items);
  const takes = `needs ${countText(needed)} open files: ${itemsText(items)}`;
  return `${takes}; the limit is ${countText(limit)}: ${raiseText(needed)}${lower && `, or lower ${lower}`}`;
}

/** Keys of what takes most beside the sessions, of which not one fits. There is one worker at least. */
function lowerable(items: readonly Item[]): string {
  const others = items.filter(
    ({ key, count }) => key && key !== CONNECTIONS && key !== FLOWS && (key !== WORKERS || count > 1),
  );
  const largest = others.toSorted((a, b) => b.needed - a.needed).slice(0, 2);
  return largest.map(({ key, needed }) => `${key} (takes ${countText(needed)})`).join(' and ');
}

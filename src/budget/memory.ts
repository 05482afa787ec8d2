/**
 * Memory: what is resident when every place is taken and nothing moves, and what a peak adds. Figures of the process are
 * measured (docs/performance.md); what the kernel takes for sockets is an estimate, for it depends on the traffic.
 */
import { native } from '../addon.js';
import { gateLimits } from '../forward-proxy/users/index.js';
import type { Demand } from './demand.js';
import type { Need } from './need.js';
import { fileCosts } from './open-files.js';
import { pipeBytes } from './pipes.js';

const KIB = 1024;
const MIB = 1024 * KIB;

/** In bytes. */
export const memoryCosts = {
  /** Node and the primary, at rest with one listener and one route; 46 MiB of it are files. */
  process: 64 * MIB,
  /** Thread, heap and stack at rest; measured: 13 to 16 MiB. */
  worker: 16 * MIB,
  /** The thread that reads a changed configuration; measured for 1,000 routes. */
  reading: 48 * MIB,
  /** The most that admission remembers, and what it takes of each (native/admission/sources.h). */
  sources: 262_144,
  source: 112,
  /** 280 bytes in the engine, 8 in JavaScript, and what the access log wants at the end. */
  session: 512,
  /** Likewise of a flow: 300 bytes in the engine. */
  flow: 512,
  /** Kernel structures of a UDP socket with empty buffers, and of its file. An estimate. */
  flowSocket: 2 * KIB,
  /** Kernel structures of a TCP socket with empty buffers. An estimate. */
  socket: 4 * KIB,
  /** Bytes under way in a busy socket. An estimate: net.ipv4.tcp_rmem and tcp_wmem allow MiBs. */
  busySocket: 32 * KIB,
} as const;

const sockets = ({ connections, tarpit, warm }: Demand): number =>
  connections * fileCosts.connection + tarpit + warm;

export const memoryNeeds: readonly Need<Demand>[] = [
  { name: 'of the process', count: () => 1, each: memoryCosts.process, why: 'Node and the primary' },
  {
    name: 'workers',
    count: ({ workers }) => workers,
    each: memoryCosts.worker,
    why: 'thread, heap, stack',
    key: 'server.workers',
  },
  { name: 'of a reload', count: () => 1, each: memoryCosts.reading, why: 'the thread that reads the file' },
  {
    name: 'sessions',
    count: ({ connections }) => connections,
    each: memoryCosts.session,
    why: 'records and timers',
    key: 'server.max_connections',
  },
  {
    name: 'flows',
    count: ({ flows }) => flows,
    each: memoryCosts.flow + memoryCosts.flowSocket,
    why: 'records, timers, and an empty socket in the kernel; an estimate',
    key: 'server.udp.max_flows',
  },
  {
    name: 'sockets',
    count: sockets,
    each: memoryCosts.socket,
    why: 'in the kernel, empty; an estimate',
    key: 'server.max_connections',
  },
];

export const memoryPeaks: readonly Need<Demand>[] = [
  {
    name: 'arenas',
    count: ({ workers }) => workers,
    each: ({ bufferBytes }) => native.arenaBytes(bufferBytes),
    why: 'openings and unsent bytes; pages are given back after a burst',
    key: 'server.workers',
  },
  {
    name: 'sources',
    count: ({ sources }) => (sources ? memoryCosts.sources : 0),
    each: memoryCosts.source,
    why: 'who has come, and who is banned: a full table',
  },
  {
    name: 'passwords',
    count: ({ workers, passwordBytes }) => (passwordBytes > 0 ? workers * gateLimits.atOnce : 0),
    each: ({ passwordBytes }) => passwordBytes,
    why: 'of users of the proxy, while they are computed',
    key: 'connect_proxy.users',
  },
  {
    name: 'receive buffers',
    count: ({ datagramSockets }) => datagramSockets,
    // The kernel counts its own structures, and allows as much again for them.
    each: ({ receiveBufferBytes }) => 2 * receiveBufferBytes,
    why: 'datagrams that wait for a worker, in the kernel, full',
    key: 'server.udp.receive_buffer',
  },
  {
    name: 'sets of pipes',
    count: ({ workers }) => workers,
    each: pipeBytes(),
    why: 'in the kernel, full',
    key: 'server.workers',
  },
  {
    name: 'busy sockets',
    count: sockets,
    each: memoryCosts.busySocket,
    why: 'in the kernel; an estimate',
    key: 'server.max_connections',
  },
];

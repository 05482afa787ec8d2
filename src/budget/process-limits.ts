/**
 * Limits of the process beside open files: address space (RLIMIT_AS), data (RLIMIT_DATA), threads (RLIMIT_NPROC). Beyond the
 * first two V8 ends the process, in whichever thread it asks for memory; so everything has to fit before anything starts.
 * Figures are measured, with Node 20 on x64: VmSize, VmData and threads of a daemon.
 */
import { native } from '../addon.js';
import type { Demand } from './demand.js';
import { memoryCosts } from './memory.js';
import type { Need } from './need.js';

const MIB = 1024 * 1024;

/** In bytes. */
export const spaceCosts = {
  /** 1.03 GiB. */
  process: 1100 * MIB,
  /** What V8 reserves for a heap and its code, touched or not. */
  thread: 600 * MIB,
} as const;

/** In bytes: what may be written to, touched or not. */
export const dataCosts = { process: 128 * MIB, thread: 40 * MIB } as const;

export const threadCosts = {
  /** Of Node, the primary and libuv. */
  process: 12,
  /** At once: the reader, which stays for a while, and what tries modules or replaces it. */
  reload: 2,
} as const;

const arena = ({ bufferBytes }: Demand): number => native.arenaBytes(bufferBytes);
const WORKERS = 'server.workers';

/** Records, which are in both. */
const records: readonly Need<Demand>[] = [
  {
    name: 'sessions',
    count: ({ connections, flows }) => connections + flows,
    each: memoryCosts.session,
    why: 'records and timers',
  },
  {
    name: 'sources',
    count: ({ sources }) => (sources ? memoryCosts.sources : 0),
    each: memoryCosts.source,
    why: 'who has come, and who is banned: a full table',
  },
];

const bytesNeeds = (costs: { readonly process: number; readonly thread: number }): Need<Demand>[] => [
  { name: 'of the process', count: () => 1, each: costs.process, why: 'Node and the primary' },
  {
    name: 'workers',
    count: ({ workers }) => workers,
    each: (demand) => costs.thread + arena(demand),
    why: 'heap and arena',
    key: WORKERS,
  },
  {
    name: 'of a reload',
    count: () => threadCosts.reload,
    each: costs.thread,
    why: 'threads that read the file and try modules',
  },
  ...records,
];

export const spaceNeeds: readonly Need<Demand>[] = bytesNeeds(spaceCosts);

export const dataNeeds: readonly Need<Demand>[] = bytesNeeds(dataCosts);

export const threadNeeds: readonly Need<Demand>[] = [
  { name: 'of the process', count: () => 1, each: threadCosts.process, why: 'Node and the primary' },
  { name: 'workers', count: ({ workers }) => workers, each: 1, why: 'one each', key: WORKERS },
  { name: 'of a reload', count: () => 1, each: threadCosts.reload, why: 'reading, and trying modules' },
];

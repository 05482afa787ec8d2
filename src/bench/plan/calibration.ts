/** The short measurement that a plan is made from when there are no figures yet. */
import type { BenchRequest } from '../sweep.js';
import { download, upload } from '../workloads/bulk.js';
import { conn } from '../workloads/conn.js';
import { idle } from '../workloads/idle.js';
import { ping } from '../workloads/ping.js';
import type { Wanted } from './wanted.js';

const ROUNDS = 3;

/** Only what the load is made of. */
export const calibrationFor = (wanted: Wanted, durationMs: number): BenchRequest => ({
  workloads: [
    ...(wanted.connectionsPerSecond > 0 ? [conn] : []),
    ...(wanted.messagesPerSecond > 0 ? [{ ...ping, connections: [64] }] : []),
    ...(wanted.bytesPerSecond > 0 ? [download, upload].map((each) => ({ ...each, connections: [8] })) : []),
    idle,
  ],
  workers: [1],
  accept: ['reuseport'],
  connections: null,
  bytes: null,
  durationMs,
  rounds: ROUNDS,
  ladder: false,
});

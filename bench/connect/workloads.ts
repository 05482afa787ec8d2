/** What is asked of tunnels: the workloads of bench/system that say what a tunnel costs, and what it may cost. */
import { type Workload as SystemWorkload, workloads as systemWorkloads } from '../system/workloads.js';
import type { ContenderName } from './contenders.js';

export interface Workload extends SystemWorkload {
  /** What a tunnel of ours costs beside the other one, at most. */
  readonly goal: Goal;
}

export interface Goal {
  readonly beside: ContenderName;
  readonly bound: number;
}

const THIRD = 0.333;

const asked: Readonly<Record<string, { readonly name: string; readonly why: string; readonly goal: Goal }>> =
  {
    conn: {
      name: 'setup',
      why: 'short tunnels, 64 at once: CONNECT, one request, 128 bytes back, closed by the server',
      goal: { beside: 'squid', bound: THIRD },
    },
    'bulk-1': {
      name: 'bulk-1',
      why: '1 GB downloads, one at a time',
      goal: { beside: 'relayed', bound: 1.03 },
    },
    'bulk-4': {
      name: 'bulk-4',
      why: '1 GB downloads, four at once',
      goal: { beside: 'relayed', bound: 1.03 },
    },
  };

/** `scale` 1 is the full run. */
export const workloads = (scale: number): Workload[] =>
  systemWorkloads(scale).flatMap((workload) => {
    const more = asked[workload.name];
    return more === undefined ? [] : [{ ...workload, ...more }];
  });

/** What a case has come to: plain data, which is also the JSON of `--json`. */
import { counted } from '../base/figures.js';
import type { Latency } from './latency.js';
import type { Setup, Workload } from './workloads/workload.js';

export interface Result extends Setup {
  readonly workload: string;
  readonly unit: string;
  readonly measures: Workload['measures'];
  /** Without the daemon: the limit of load, endpoint and machine. */
  readonly direct: Run | null;
  /** As much as goes through the daemon: of the rounds the median by CPU. */
  readonly full: Run | null;
  readonly rounds: readonly Run[];
  /** Half of that, in an open load. */
  readonly half: Run | null;
  /** The same under rising load; empty unless asked for. */
  readonly ladder: readonly Run[];
  readonly memory: Memory | null;
}

export interface Run {
  /** Arrivals per second of an open load; null: as many as there are answers. */
  readonly offered: number | null;
  readonly perSecond: number;
  readonly bytesPerSecond: number;
  /** Of the daemon, nanoseconds for each unit; null: it takes no part. */
  readonly cpuPerUnit: number | null;
  /** Cores that each had on average; `others` are programs that have nothing to do with it, and other machines on this one. */
  readonly cores: {
    readonly daemon: number;
    readonly endpoint: number;
    readonly load: number;
    readonly others: number;
  };
  /** Of an open load from when a unit was due. Null: nothing was finished. */
  readonly latency: Latency | null;
  /** Due, and not finished two seconds after the run. */
  readonly unfinished: number;
  /** Datagrams that have not come back within a second. */
  readonly lost: number;
}

export interface Memory {
  /** Private bytes of the daemon for each session. */
  readonly perSession: number;
  /** Resident bytes of the daemon before the sessions, and with them. */
  readonly residentBefore: number;
  readonly residentWith: number;
}

export const caseText = ({
  workload,
  connections,
  workers,
}: Pick<Result, 'workload' | 'connections' | 'workers'>) =>
  `${workload}, ${counted(connections, 'connection')}, ${counted(workers, 'worker')}`;

/** How many times as much goes without the daemon; null: not measured. Below 2 the load may be the limit. */
export function headroomOf({ measures, direct, full }: Result): number | null {
  if (direct === null || full === null) return null;
  return measures === 'bytes'
    ? direct.bytesPerSecond / full.bytesPerSecond
    : direct.perSecond / full.perSecond;
}

export const HEADROOM_MIN = 2;

/** The rate of a run in its unit: units, or GB, per second. */
export const rateOf = ({ measures }: Pick<Result, 'measures'>, run: Run): number =>
  measures === 'bytes' ? run.bytesPerSecond / 1e9 : run.perSecond;

/** Proxies and load run on cores of their own, as far as there are enough: neither waits for the other's time slice. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface Cores {
  /** Commands that run a proxy, and the endpoint and clients. */
  readonly proxy: readonly string[];
  readonly load: readonly string[];
}

export const ANY_CORE: Cores = { proxy: [], load: [] };

/** What this process does beside the load is no work for the proxies' cores, either. */
export function joinLoad({ load: [command, ...list] }: Cores): void {
  if (command !== undefined) spawnSync(command, ['-ap', ...list, `${process.pid}`]);
}

/** Before this process joins the load. */
const ALLOWED = allowedCores();

/** `workers`: cores that a proxy gets. */
export function coresFor(workers: number, allowed: readonly number[] = ALLOWED): Cores {
  const others = allowed.slice(workers);
  return { proxy: pin(allowed.slice(0, workers)), load: pin(others.length > 0 ? others : allowed) };
}

const pin = (cores: readonly number[]): readonly string[] => ['taskset', '-c', cores.join()];

/** Those that this process may use, by a list such as `0-3,8` (proc_pid_status(5)). */
export function allowedCores(status = readFileSync('/proc/self/status', 'utf8')): number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1] ?? '0';
  return list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

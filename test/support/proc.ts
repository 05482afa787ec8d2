/** What the kernel says of a process. */
import { readdirSync, readFileSync } from 'node:fs';

/** CPU time of all threads that live now, user and system, in nanoseconds. */
export function cpuNanoseconds(pid: number): number {
  return readdirSync(`/proc/${pid}/task`)
    .map((thread) => Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]))
    .reduce((sum, nanoseconds) => sum + nanoseconds, 0);
}

function statusKilobytes(pid: number, key: string): number {
  const line = new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  if (!line) throw new Error(`no ${key} in /proc/${pid}/status`);
  return Number(line[1]);
}

/** Resident memory, in bytes. */
export const residentBytes = (pid: number): number => statusKilobytes(pid, 'VmRSS') * 1024;

/** Resident memory that is not files: heap and stacks, in bytes. */
export const privateBytes = (pid: number): number => statusKilobytes(pid, 'RssAnon') * 1024;

export const openFiles = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;

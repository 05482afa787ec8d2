/** Figures out of /proc and /sys, from texts that the machine gives. */
import { posix } from 'node:path';
import { type Capability, hasCapability } from '../base/capabilities.js';
import type { Machine } from './machine.js';

/** Words of a sysctl such as `net.core.somaxconn`; null: this kernel has none of the name. */
export function sysctlWords(machine: Machine, name: string): readonly string[] | null {
  const text = machine.read(`/proc/sys/${name.replaceAll('.', '/')}`);
  return text === null ? null : text.trim().split(/\s+/).filter(Boolean);
}

export function sysctl(machine: Machine, name: string): number | null {
  const [word] = sysctlWords(machine, name) ?? [];
  return word !== undefined && /^\d+$/.test(word) ? Number(word) : null;
}

export const setSysctl = (name: string, value: number | string): string =>
  `sysctl -w ${name}=${typeof value === 'number' ? value : JSON.stringify(value)}`;

const status = (machine: Machine): string => machine.read('/proc/self/status') ?? '';

/** Effective, of the process that asks. */
export const may = (machine: Machine, capability: Capability): boolean =>
  hasCapability(status(machine), capability);

/** Effective user id; null: not known. */
export function userId(machine: Machine): number | null {
  const uid = /^Uid:\s+\d+\s+(\d+)/m.exec(status(machine))?.[1];
  return uid === undefined ? null : Number(uid);
}

export interface ProcessLimit {
  /** Without one: infinite. */
  readonly soft: number;
  readonly hard: number;
}

/** Of a row of /proc/self/limits such as `open files` (`Max` is left out); null: not known. */
export function processLimit(machine: Machine, row: string): ProcessLimit | null {
  const [, soft, hard] =
    new RegExp(`^Max ${row}\\s+(\\S+)\\s+(\\S+)`, 'm').exec(machine.read('/proc/self/limits') ?? '') ?? [];
  const number = (word: string) => (word === 'unlimited' ? Number.POSITIVE_INFINITY : Number(word));
  return soft === undefined || hard === undefined ? null : { soft: number(soft), hard: number(hard) };
}

const threadsIn = (text: string): number => Number(/^Threads:\s+(\d+)/m.exec(text)?.[1] ?? 0);

/** Threads of a user's processes but this one. */
export function tasksOf(machine: Machine, uid: number): number {
  const isTheirs = new RegExp(`^Uid:\\s+${uid}\\s`, 'm');
  const texts = machine
    .list('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => machine.read(`/proc/${name}/status`) ?? '');
  const own = status(machine);
  const all = texts.filter((text) => isTheirs.test(text)).reduce((sum, text) => sum + threadsIn(text), 0);
  return isTheirs.test(own) ? Math.max(0, all - threadsIn(own)) : all;
}

/** Bytes of a row of /proc/meminfo; null: not known. */
export function memoryRow(machine: Machine, row: string): number | null {
  const kilobytes = new RegExp(`^${row}:\\s+(\\d+) kB`, 'm').exec(machine.read('/proc/meminfo') ?? '')?.[1];
  return kilobytes === undefined ? null : Number(kilobytes) * 1024;
}

/**
 * Texts of a control group's file, from the process's own group up to the root: every one of them limits. `v1`: the
 * controller and its file in the first version; `v2`: the file in the second. A container may see its group as the root.
 */
function groupTexts(machine: Machine, v1: readonly [string, string], v2: string): string[] {
  const groups = (machine.read('/proc/self/cgroup') ?? '').trim().split('\n');
  return groups
    .flatMap((line) => {
      const [number, controllers = '', ...rest] = line.split(':');
      const path = rest.join(':');
      if (number === '0')
        return upwards(path).map((at) => machine.read(posix.join('/sys/fs/cgroup', at, v2)));
      if (!controllers.split(',').includes(v1[0])) return [];
      return upwards(path).map((at) => machine.read(posix.join('/sys/fs/cgroup', v1[0], at, v1[1])));
    })
    .filter((text) => text !== null);
}

/** `/a/b`: `/a/b`, `/a`, `/`. */
function upwards(path: string): string[] {
  const parts = path.split('/').filter(Boolean);
  return Array.from(
    { length: parts.length + 1 },
    (_, dropped) => `/${parts.slice(0, parts.length - dropped).join('/')}`,
  );
}

/** Without a limit the first version says a number near 2^63. */
const GROUP_UNLIMITED = 2 ** 60;

/** Smallest memory limit of the process's control groups, in bytes; null: none. */
export function groupMemory(machine: Machine): number | null {
  const texts = groupTexts(machine, ['memory', 'memory.limit_in_bytes'], 'memory.max');
  const limits = texts
    .map((text) => Number(text.trim()))
    .filter((limit) => limit > 0 && limit < GROUP_UNLIMITED);
  return limits.length === 0 ? null : Math.min(...limits);
}

/** Smallest CPU quota of the process's control groups, in CPUs; null: none. */
export function groupCpus(machine: Machine): number | null {
  const pairs = groupTexts(machine, ['cpu', 'cpu.cfs_quota_us'], 'cpu.max');
  const periods = groupTexts(machine, ['cpu', 'cpu.cfs_period_us'], 'cpu.max');
  const quotas = pairs.map((text, index) => {
    const [quota, period = periods[index]] = text.trim().split(/\s+/);
    return Number(quota) / Number(period);
  });
  const limits = quotas.filter((quota) => quota > 0);
  return limits.length === 0 ? null : Math.min(...limits);
}

/** Threads that the tightest of the process's control groups allows, and those in use beside this process; null: no limit. */
export function groupTasks(machine: Machine): { readonly most: number; readonly used: number } | null {
  const limits = groupTexts(machine, ['pids', 'pids.max'], 'pids.max');
  const counts = groupTexts(machine, ['pids', 'pids.current'], 'pids.current');
  const own = threadsIn(status(machine));
  // The root has neither file, and every other group has both.
  const groups = limits
    .map((text, index) => ({ most: Number(text), used: Math.max(0, Number(counts[index]) - own) }))
    .filter(({ most, used }) => most > 0 && used >= 0);
  const [tightest] = groups.toSorted((one, other) => one.most - one.used - (other.most - other.used));
  return tightest ?? null;
}

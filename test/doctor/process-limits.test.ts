/** Address space, data and threads that the process is allowed. */
import { demandOf } from '../../src/budget/demand.js';
import { itemsOf, totalOf } from '../../src/budget/need.js';
import { dataNeeds, spaceNeeds, threadNeeds } from '../../src/budget/process-limits.js';
import { addressSpace, dataSize } from '../../src/doctor/checks/process-limits.js';
import { threads } from '../../src/doctor/checks/threads.js';
import { type Case, runCases } from './cases.js';
import { configOf, limits, type OtherLimits, unprivileged } from './support.js';

const demand = demandOf(configOf());
const space = totalOf(itemsOf(spaceNeeds, demand));
const data = totalOf(itemsOf(dataNeeds, demand));
const tasks = totalOf(itemsOf(threadNeeds, demand));
const under = (others: OtherLimits, more: Readonly<Record<string, string>> = {}) => ({
  texts: { '/proc/self/limits': limits('1024', '1048576', others), ...more },
});
/** Another process of the other user, of so many threads. */
const beside = (count: number) => ({
  ...unprivileged,
  '/proc/76/status': String(unprivileged['/proc/self/status']),
  '/proc/77/status': `Name:\tother\nUid:\t1000\t1000\t1000\t1000\nThreads:\t${count}\n`,
  '/proc/78/status': 'Name:\troots\nUid:\t0\t0\t0\t0\nThreads:\t99\n',
});
const group = (most: number, used: number) => ({
  '/proc/self/cgroup': '0::/a/b\n',
  '/sys/fs/cgroup/a/pids.max': `${most}\n`,
  '/sys/fs/cgroup/a/pids.current': `${used}\n`,
  '/sys/fs/cgroup/a/b/pids.max': 'max\n',
  '/sys/fs/cgroup/a/b/pids.current': '7\n',
});

const cases: Case[] = [
  { check: addressSpace, why: 'exactly enough', on: under({ space }), says: 'ok' },
  { check: dataSize, why: 'exactly enough', on: under({ data }), says: 'ok' },
  {
    check: addressSpace,
    why: 'less address space (`ulimit -v`)',
    on: under({ space: space - 1 }),
    says: 'short',
    remedy: `ulimit -v ${Math.ceil(space / 1024)}  # as root; in a systemd unit: LimitAS=${Math.ceil(space / 1024)}K`,
  },
  {
    check: dataSize,
    why: 'less data (`ulimit -d`)',
    on: under({ data: data - 1 }),
    says: 'short',
    remedy: `ulimit -d ${Math.ceil(data / 1024)}  # as root; in a systemd unit: LimitDATA=${Math.ceil(data / 1024)}K`,
  },
  { check: addressSpace, why: 'no /proc', on: { without: ['/proc/self/limits'] }, says: 'unknown' },
  { check: dataSize, why: 'no /proc', on: { without: ['/proc/self/limits'] }, says: 'unknown' },
  { check: threads, why: 'root, for whom a number of processes is no limit', says: 'ok', there: 'no limit' },
  {
    check: threads,
    why: 'exactly enough beside those of the user',
    on: under({ processes: tasks + 30 }, beside(30)),
    says: 'ok',
  },
  {
    check: threads,
    why: 'one less (`ulimit -u`)',
    on: under({ processes: tasks + 29 }, beside(30)),
    says: 'short',
    there: `${tasks + 29} of the user, 30 in use`,
    remedy: `ulimit -u ${tasks + 30}  # in a systemd unit: LimitNPROC=${tasks + 30}`,
  },
  {
    check: threads,
    why: 'a control group has fewer, root or not',
    on: { texts: group(tasks + 9, 17) },
    says: 'short',
    there: `${tasks + 9} (control group), 10 in use`,
    remedy: `TasksMax=${tasks + 10}  # in a systemd unit; docker: --pids-limit=${tasks + 10}`,
  },
  { check: threads, why: 'a control group has enough', on: { texts: group(tasks + 10, 17) }, says: 'ok' },
];

runCases(cases);

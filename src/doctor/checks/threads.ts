/** Threads: RLIMIT_NPROC, of all processes of a user, and the control group's limit on its own. */
import { countText } from '../../base/figures.js';
import { itemsOf, totalOf } from '../../budget/need.js';
import { threadNeeds } from '../../budget/process-limits.js';
import type { Config } from '../../model/config.js';
import type { Check } from '../check.js';
import type { Machine } from '../machine.js';
import { groupTasks, may, processLimit, tasksOf, userId } from '../readers.js';

export const threads: Check = {
  name: 'threads',
  examine: ({ config, demand, machine }) => {
    const items = itemsOf(threadNeeds, demand);
    const needed = totalOf(items);
    const finding = { what: 'threads', needed: countText(needed), items };
    const found = [ofUser(config, machine, needed), ofGroup(machine, needed)].filter((each) => each !== null);
    const [least] = found.toSorted((one, other) => one.free - other.free);
    if (least === undefined) return [{ ...finding, verdict: 'ok', there: 'no limit' }];
    const { there, free, remedies } = least;
    if (free >= needed) return [{ ...finding, verdict: 'ok', there }];
    const why = 'threads can not be started (EAGAIN): the daemon does not start, or its reloads are refused';
    return [{ ...finding, verdict: 'short', there, why, remedies }];
  },
};

interface Room {
  readonly there: string;
  readonly free: number;
  readonly remedies: readonly string[];
}

/** Null: no limit, or not for this user. */
function ofUser(config: Config, machine: Machine, needed: number): Room | null {
  const limit = processLimit(machine, 'processes')?.soft ?? Number.POSITIVE_INFINITY;
  const isFree = may(machine, 'CAP_SYS_RESOURCE') || may(machine, 'CAP_SYS_ADMIN') || userId(machine) === 0;
  if (limit === Number.POSITIVE_INFINITY || (isFree && config.server.identity === null)) return null;
  const uid = config.server.identity?.user.uid ?? userId(machine);
  const used = uid === null ? 0 : tasksOf(machine, uid);
  return {
    there: `${countText(limit)} of the user, ${countText(used)} in use`,
    free: limit - used,
    remedies: [`ulimit -u ${used + needed}  # in a systemd unit: LimitNPROC=${used + needed}`],
  };
}

/** Likewise. */
function ofGroup(machine: Machine, needed: number): Room | null {
  const tasks = groupTasks(machine);
  if (tasks === null) return null;
  const { most, used } = tasks;
  return {
    there: `${countText(most)} (control group), ${countText(used)} in use`,
    free: most - used,
    remedies: [`TasksMax=${used + needed}  # in a systemd unit; docker: --pids-limit=${used + needed}`],
  };
}

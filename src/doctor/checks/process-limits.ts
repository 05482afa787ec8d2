/**
 * Address space and data of the process, which V8 does not survive the want of. The daemon refuses to start by the same
 * comparison (src/primary/process-limits.ts).
 */
import { bytesText } from '../../base/figures.js';
import type { Demand } from '../../budget/demand.js';
import { itemsOf, type Need, totalOf } from '../../budget/need.js';
import { dataNeeds, spaceNeeds } from '../../budget/process-limits.js';
import type { Check } from '../check.js';
import { processLimit } from '../readers.js';

interface Limit {
  readonly name: string;
  readonly what: string;
  /** In /proc/PID/limits. */
  readonly row: string;
  /** Of the shell's ulimit, and of a systemd unit. */
  readonly option: string;
  readonly directive: string;
  readonly needs: readonly Need<Demand>[];
}

export const addressSpace = checkOf({
  name: 'address_space',
  what: 'address space',
  row: 'address space',
  option: '-v',
  directive: 'LimitAS',
  needs: spaceNeeds,
});

export const dataSize = checkOf({
  name: 'data_size',
  what: 'data',
  row: 'data size',
  option: '-d',
  directive: 'LimitDATA',
  needs: dataNeeds,
});

function checkOf({ name, what, row, option, directive, needs }: Limit): Check {
  return {
    name,
    examine: ({ demand, machine }) => {
      const items = itemsOf(needs, demand);
      const least = totalOf(items);
      const finding = { what, needed: bytesText(least), items, unit: 'bytes' as const };
      const limit = processLimit(machine, row);
      if (limit === null) return [{ ...finding, verdict: 'unknown', there: 'no /proc/self/limits' }];
      // The soft limit holds: nobody raises it.
      if (limit.soft === Number.POSITIVE_INFINITY) return [{ ...finding, verdict: 'ok', there: 'unlimited' }];
      const there = bytesText(limit.soft);
      if (limit.soft >= least) return [{ ...finding, verdict: 'ok', there }];
      const kibibytes = Math.ceil(least / 1024);
      const who = limit.hard >= least ? '' : 'as root; ';
      const raise = `ulimit ${option} ${kibibytes}  # ${who}in a systemd unit: ${directive}=${kibibytes}K`;
      const why = 'the daemon does not start, since V8 would end it at some allocation';
      return [
        { ...finding, verdict: 'short', there, why, remedies: [raise, 'server.workers: lower  # instead'] },
      ];
    },
  };
}

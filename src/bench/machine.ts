/** The machine that is measured on, and how busy all of it was. */
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';

export interface Machine {
  readonly cpus: number;
  readonly model: string;
  readonly memory: number;
  readonly kernel: string;
}

export function thisMachine(): Machine {
  const [cpu] = cpus();
  return {
    cpus: cpus().length,
    model: cpu?.model.trim() ?? 'unknown',
    memory: totalmem(),
    kernel: release(),
  };
}

/** From now on. */
export function watchMachine(): { busyCores(): number } {
  const before = ticks();
  return {
    busyCores() {
      const after = ticks();
      const all = after.all - before.all;
      return all === 0 ? 0 : ((after.busy - before.busy) / all) * cpus().length;
    },
  };
}

/** Of all cores since the machine has started; what the host gave to others (steal) counts as busy. */
function ticks(): { readonly all: number; readonly busy: number } {
  const [first = ''] = readFileSync('/proc/stat', 'utf8').split('\n');
  // user nice system idle iowait irq softirq steal: proc_stat(5)
  const counts = first.trim().split(/\s+/).slice(1, 9).map(Number);
  const all = counts.reduce((sum, each) => sum + each, 0);
  return { all, busy: all - (counts[3] ?? 0) - (counts[4] ?? 0) };
}

/** A machine as another process sees it: its limits, capabilities and control group. */
import type { Machine } from './machine.js';

export const asProcess = (machine: Machine, pid: number): Machine => ({
  ...machine,
  read: (path) => machine.read(path.replace('/proc/self/', `/proc/${pid}/`)),
});

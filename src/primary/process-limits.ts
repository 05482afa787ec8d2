/** Refuses a configuration for which the process may not take enough address space or data: V8 would end it. */
import { addressSpace, dataSize } from '../doctor/checks/process-limits.js';
import { examine } from '../doctor/examine.js';
import { type Machine, thisMachine } from '../doctor/machine.js';
import type { Config } from '../model/config.js';
import { StartError } from './start-error.js';

export function refuseUnderProcessLimits(config: Config, machine: Machine = thisMachine): void {
  const short = examine(config, machine, [addressSpace, dataSize]).find(({ verdict }) => verdict === 'short');
  if (short === undefined) return;
  const { what, needed, there, remedies = [] } = short;
  throw new StartError(`too little ${what}: ${needed} are needed, ${there} allowed; ${remedies.join('; ')}`);
}

/** The checks that a daemon makes, too. It loads no others: they would be in its memory for as long as it runs. */
import type { Config } from '../model/config.js';
import { localPorts } from './checks/local-ports.js';
import { memory } from './checks/memory.js';
import { type Examined, examine } from './examine.js';
import type { Machine } from './machine.js';

const checks = [memory, localPorts];

/** What is short of what a daemon needs at its start. */
export const shortAtStart = (config: Config, machine: Machine): Examined[] =>
  examine(config, machine, checks).filter(({ verdict }) => verdict === 'short');

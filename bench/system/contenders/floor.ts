/** The floor: a bare relay in C++ without a log, and for refused connections a program that refuses whatever comes. */
import { resolve } from 'node:path';
import type { Rival, Setting } from '../contender.js';
import { started } from './started.js';

export const FLOOR = 'floor';

/** It splices where that pays, through pipes as large as a user may have. */
const PIPE_BYTES = 1 << 20;

function commandOf(port: number, target: number, { tuning, refused }: Setting): string[] {
  const program = (name: string) => resolve('build-bench/load', name);
  if (refused) return [program('refuser'), `${port}`];
  return [program('relay'), `${port}`, `${target}`, ...(tuning === 'messages' ? [] : [`${PIPE_BYTES}`])];
}

export const floor: Rival = {
  name: FLOOR,
  version: () => '',
  packages: '',
  lacks({ setting, unfinished }) {
    if (setting.listeners !== undefined || setting.operated) return 'has no metrics';
    if ((setting.workers ?? 1) > 1) return 'has one thread';
    return unfinished === 'stay' ? 'has no timers' : null;
  },
  start: (target, setting) =>
    started({
      name: FLOOR,
      wrapper: setting.wrapper,
      command: (port) => commandOf(port, target, setting),
    }),
};

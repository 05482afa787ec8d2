/** What this process does not open itself: the sockets of the process that it replaces, or of the service manager. */
import { native } from '../../addon.js';
import { systemClock } from '../../base/clock.js';
import type { InheritedGroup } from '../../primary/sockets.js';
import { Predecessor } from '../../primary/upgrade/predecessor.js';
import { activatedGroups, takeActivatedSockets } from './activation.js';
import { takeHandoverFd } from './launch.js';

/** The process that has started this one to replace it, or null. */
export function findPredecessor(env: NodeJS.ProcessEnv): Predecessor | null {
  const fd = takeHandoverFd(env);
  if (fd === null) return null;
  // The service manager has said whom it watches before it heard of this process.
  delete env.WATCHDOG_PID;
  return new Predecessor(fd, native, systemClock);
}

/** Rejects with a StartError. */
export async function takeInheritance(
  predecessor: Predecessor | null,
  version: string,
): Promise<readonly InheritedGroup[]> {
  const activated = activatedGroups(takeActivatedSockets(process.env, process.pid), native);
  if (predecessor === null) return activated;
  native.raiseFileLimit(); // as many sockets as the process before had
  return predecessor.greet(version);
}

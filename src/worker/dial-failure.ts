/** What an errno of a failed connection means: whose fault it is, and what it is called. */
import { constants } from 'node:os';
import type { Ender, Reason } from '../model/session.js';

export interface FailedDial {
  readonly by: Ender;
  readonly reason: Extract<Reason, 'connect_failed' | 'connect_timeout' | 'over_limit'>;
}

const { EMFILE, ENFILE, ENOMEM, ENOBUFS, ETIMEDOUT } = constants.errno;
const OURS: readonly number[] = [EMFILE, ENFILE, ENOMEM, ENOBUFS];

export function reasonOfFailure(errno: number): FailedDial {
  if (errno === ETIMEDOUT) return { by: 'timeout', reason: 'connect_timeout' };
  if (OURS.includes(errno)) return { by: 'proxy', reason: 'over_limit' };
  return { by: 'upstream', reason: 'connect_failed' };
}

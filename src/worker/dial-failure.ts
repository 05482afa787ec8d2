/** Classifies the errno of a failed connection: side at fault, reason, and whether to try elsewhere. */
import { constants } from 'node:os';
import { getSystemErrorName } from 'node:util';
import type { Ender, Reason } from '../model/session.js';

export interface FailedDial {
  readonly by: Ender;
  readonly reason: Extract<Reason, 'connect_failed' | 'connect_timeout' | 'over_limit'>;
  /** Another address or endpoint may be reachable. */
  readonly elsewhere: boolean;
}

const { EADDRNOTAVAIL, EMFILE, ENFILE, ENOMEM, ENOBUFS, ETIMEDOUT } = constants.errno;
const OURS: readonly number[] = [EMFILE, ENFILE, ENOMEM, ENOBUFS];

/** `ECONNREFUSED` */
export const errorName = (errno: number): string => getSystemErrorName(-errno) ?? `errno ${errno}`;

export function reasonOfFailure(errno: number): FailedDial {
  if (errno === ETIMEDOUT) return { by: 'timeout', reason: 'connect_timeout', elsewhere: true };
  if (OURS.includes(errno)) return { by: 'proxy', reason: 'over_limit', elsewhere: false };
  // All local ports towards this address are in use: not the endpoint's fault.
  if (errno === EADDRNOTAVAIL) return { by: 'proxy', reason: 'over_limit', elsewhere: true };
  return { by: 'upstream', reason: 'connect_failed', elsewhere: true };
}

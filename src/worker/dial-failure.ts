/** Classifies the error of a failed connection: side at fault, reason, what was lacking, and whether to try elsewhere. */
import { constants } from 'node:os';
import { getSystemErrorName } from 'node:util';
import { native } from '../addon.js';
import type { Ender, Reason } from '../model/session.js';

export interface FailedDial {
  readonly by: Ender;
  readonly reason: Extract<Reason, 'connect_failed' | 'connect_timeout' | 'over_limit'>;
  /** Another address or endpoint may be reachable. */
  readonly elsewhere: boolean;
  /** What this machine has not, when it is not the endpoint's fault. */
  readonly lacking?: 'ports' | 'source' | 'interface' | 'family' | 'files';
}

const { EADDRNOTAVAIL, EMFILE, ENFILE, ENODEV, ENOMEM, ENOBUFS, ETIMEDOUT } = constants.errno;
const { no_such_source, families_differ } = native.dialErrors;

const FILES: FailedDial = { by: 'proxy', reason: 'over_limit', elsewhere: false, lacking: 'files' };
const refused = (lacking: 'source' | 'interface' | 'family'): FailedDial => ({
  by: 'proxy',
  reason: 'connect_failed',
  elsewhere: true,
  lacking,
});

const ENDPOINT: FailedDial = { by: 'upstream', reason: 'connect_failed', elsewhere: true };
const others: ReadonlyMap<number, FailedDial> = new Map([
  [ETIMEDOUT, { by: 'timeout', reason: 'connect_timeout', elsewhere: true }],
  [EMFILE, FILES],
  [ENFILE, FILES],
  [ENOMEM, FILES],
  [ENOBUFS, FILES],
  // All local ports towards this address are in use.
  [EADDRNOTAVAIL, { by: 'proxy', reason: 'over_limit', elsewhere: true, lacking: 'ports' }],
  [no_such_source, refused('source')],
  [ENODEV, refused('interface')],
  [families_differ, refused('family')],
]);

const ownNames: ReadonlyMap<number, string> = new Map(
  Object.entries(native.dialErrors).map(([name, number]) => [number, name]),
);

/** `ECONNREFUSED`, `TLS: certificate has expired` */
export function errorName(error: number): string {
  const problem = native.tlsProblem(error);
  if (problem !== null) return `TLS: ${problem}`;
  return ownNames.get(error) ?? getSystemErrorName(-error) ?? `errno ${error}`;
}

export const reasonOfFailure = (error: number): FailedDial => others.get(error) ?? ENDPOINT;

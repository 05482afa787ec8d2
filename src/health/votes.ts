/** What the checks of other nodes say of an endpoint, and when it counts against it here. Pure. */
import type { SocketAddress } from '../model/address.js';
import type { Tally, Verdict } from '../model/verdicts.js';

export const voteLimits = {
  /** Other nodes that have to say `down`: a single one never overrides. */
  othersMin: 2,
} as const;

/**
 * Whether most nodes say `down` while this one does not: more than half of those that have a verdict, this one among them.
 * Null: this one has not asked the endpoint yet.
 */
export function isOutvoted(own: Verdict | null, { up, down }: Tally): boolean {
  if (own === 'down') return false;
  return down >= voteLimits.othersMin && 2 * down > votersOf(own, { up, down });
}

/** Nodes that have a verdict. */
export const votersOf = (own: Verdict | null, { up, down }: Tally): number =>
  up + down + (own === null ? 0 : 1);

/** Whether the addresses are the same endpoint to every node: a Unix socket and a loopback address are each node's own. */
export const isCommon = (addresses: readonly SocketAddress[], allowLoopback: boolean): boolean =>
  addresses.length > 0 &&
  addresses.every((address) => 'host' in address && (allowLoopback || !isLoopback(address.host)));

const isLoopback = (host: string): boolean => host === '::1' || host.startsWith('127.');

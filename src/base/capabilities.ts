/** Capabilities of a process, from the text of its /proc/PID/status: capabilities(7). */

const BITS = {
  CAP_NET_BIND_SERVICE: 10n,
  CAP_NET_ADMIN: 12n,
  CAP_SYS_ADMIN: 21n,
  CAP_SYS_RESOURCE: 24n,
} as const;

export type Capability = keyof typeof BITS;

/** Whether it is effective. */
export function hasCapability(status: string, capability: Capability): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0';
  return ((BigInt(`0x${effective}`) >> BITS[capability]) & 1n) === 1n;
}

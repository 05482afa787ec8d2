/** Capabilities (capabilities(7)): those of a process, from the text of its /proc/PID/status, and masks of several. */

const numbers = {
  CAP_DAC_OVERRIDE: 1,
  CAP_FOWNER: 3,
  CAP_SETGID: 6,
  CAP_SETUID: 7,
  CAP_NET_BIND_SERVICE: 10,
  CAP_NET_ADMIN: 12,
  CAP_NET_RAW: 13,
  CAP_SYS_ADMIN: 21,
  CAP_SYS_RESOURCE: 24,
} as const;

export type Capability = keyof typeof numbers;

/** The first 32, a bit for each, of a set as /proc shows it (`CapEff`, `CapPrm` …). */
export function maskIn(status: string, set: string): number {
  const hex = new RegExp(`^${set}:\\s*([0-9a-f]+)`, 'm').exec(status)?.[1] ?? '0';
  return Number(BigInt(`0x${hex}`) & 0xffff_ffffn) | 0;
}

/** Whether it is effective. */
export const hasCapability = (status: string, capability: Capability): boolean =>
  (maskIn(status, 'CapEff') & maskOf(capability)) !== 0;

export const maskOf = (...capabilities: readonly Capability[]): number =>
  capabilities.reduce((mask, capability) => mask | (1 << numbers[capability]), 0);

/** Those of a mask that have a name here. */
export const namesOf = (mask: number): Capability[] =>
  (Object.keys(numbers) as Capability[]).filter((name) => (mask & (1 << numbers[name])) !== 0);

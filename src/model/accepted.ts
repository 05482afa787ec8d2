/** Protocols of a listener, whichever way they come: a session is of one that its transport has. */
import type { PlanListener } from './plan.js';

/** In rank order. */
export function acceptedBy(
  listener: Pick<PlanListener, 'protocols' | 'datagramProtocols'> | undefined,
): readonly number[] {
  const { protocols = [], datagramProtocols = [] } = listener ?? {};
  if (datagramProtocols.length === 0) return protocols;
  return [...new Set([...protocols, ...datagramProtocols])].sort((a, b) => a - b);
}

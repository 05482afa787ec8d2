/**
 * How long a soak lasts: seconds beside the other tests, or the whole of it with `ANYPORT_SOAK=1`, for a machine that has
 * nothing else to do. Figures that depend on time are asserted only then, and printed always.
 */
import type { Daemon } from '../support/daemon.js';
import { total } from '../support/metrics.js';
import { privateBytes } from '../support/proc.js';

export const whole = process.env.ANYPORT_SOAK === '1';

export function report(title: string, figures: Readonly<Record<string, number | string>>): void {
  const texts = Object.entries(figures).map(([name, value]) => `${name} ${value}`);
  console.log(`${title}: ${texts.join(', ')}`);
}

export const MIB = 1 << 20;

/** What it holds itself, without the pages that V8 keeps empty for its heap to grow into. */
export async function heldBytes(daemon: Daemon): Promise<number> {
  const samples = await daemon.metrics();
  const empty =
    total(samples, 'nodejs_heap_size_total_bytes') - total(samples, 'nodejs_heap_size_used_bytes');
  return privateBytes(daemon.pid) - empty;
}

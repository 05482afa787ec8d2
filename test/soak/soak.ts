/**
 * How long a soak lasts: seconds beside the other tests, or the whole of it with `ANYPORT_SOAK=1`, for a machine that has
 * nothing else to do. Figures that depend on time are asserted only then, and printed always.
 */
export const whole = process.env.ANYPORT_SOAK === '1';

export function report(title: string, figures: Readonly<Record<string, number | string>>): void {
  const texts = Object.entries(figures).map(([name, value]) => `${name} ${value}`);
  console.log(`${title}: ${texts.join(', ')}`);
}

export const MIB = 1 << 20;

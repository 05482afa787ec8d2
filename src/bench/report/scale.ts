/** Axes of a plot: from values to places, and round values to mark. Pure. */

export interface Scale {
  readonly from: number;
  readonly to: number;
  readonly ticks: readonly number[];
  /** Where a value lies: 0 at the beginning, 1 at the end. */
  place(value: number): number;
}

/** From zero to a round value that holds all. */
export function linearScale(values: readonly number[], ticksWanted = 5): Scale {
  const most = Math.max(...values, 1e-9);
  const step = roundUp(most / ticksWanted);
  const to = step * Math.ceil(most / step - 1e-9);
  const count = Math.round(to / step);
  return {
    from: 0,
    to,
    ticks: Array.from({ length: count + 1 }, (_, index) => index * step),
    place: (value) => value / to,
  };
}

/** From one round value (1, 2 or 5 times a power of ten) to another. */
export function logScale(values: readonly number[]): Scale {
  const positive = values.filter((value) => value > 0);
  const [least, most] = [Math.min(...positive), Math.max(...positive)];
  const from = roundDown(least);
  const to = Math.max(roundUp(most), from * 10);
  const steps = to / from < DECADES_ALONE ? [1, 2, 5] : [1];
  const ticks = [];
  for (let power = 10 ** Math.floor(Math.log10(from)); power <= to * 1.001; power *= 10) {
    ticks.push(
      ...steps.map((step) => step * power).filter((tick) => tick >= from * 0.999 && tick <= to * 1.001),
    );
  }
  return { from, to, ticks, place: (value) => Math.log(value / from) / Math.log(to / from) };
}

/** From such a ratio on powers of ten are ticks enough. */
const DECADES_ALONE = 1000;

const STEPS = [1, 2, 5, 10] as const;

function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * (STEPS.find((step) => step * power >= value * (1 - 1e-9)) ?? 10);
}

function roundDown(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * (STEPS.findLast((step) => step * power <= value * (1 + 1e-9)) ?? 1);
}

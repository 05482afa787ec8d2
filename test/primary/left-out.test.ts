/** Why fragments are left out is told once each, and never so often that it fills a disk. */
import { expect, test } from 'vitest';
import { LeftOut, leftOutLimits } from '../../src/primary/left-out.js';

interface Line {
  readonly fields: { readonly suppressed?: number };
  readonly message: string;
}

function told() {
  const lines: Line[] = [];
  const clock = { ms: 0 };
  const warn = (fields: Line['fields'], message: string) => lines.push({ fields, message });
  const leftOut = new LeftOut(
    { warn } as unknown as ConstructorParameters<typeof LeftOut>[0],
    () => clock.ms,
  );
  return { lines, clock, leftOut };
}

test('each reason is told once, until it has gone', () => {
  const { lines, leftOut } = told();
  for (const reasons of [['a'], ['a', 'b'], ['b'], ['a', 'b']]) leftOut.say(reasons);
  expect(lines.map(({ message }) => message)).toEqual(['left out: a', 'left out: b', 'left out: a']);
});

test('reasons that are new all the time are a burst of lines and then a few a minute; all are known', () => {
  const { lines, clock, leftOut } = told();
  const { linesMax, perMinute } = leftOutLimits.lines;
  const rounds = 600;
  for (let round = 0; round < rounds; round += 1, clock.ms += 100)
    leftOut.say(Array.from({ length: 100 }, (_, index) => `${index} of round ${round}`));
  expect(lines.length).toBeGreaterThan(linesMax);
  expect(lines.length).toBeLessThanOrEqual(linesMax + perMinute);
  const suppressed = lines.reduce((sum, { fields }) => sum + (fields.suppressed ?? 0), 0);
  expect(suppressed).toBeGreaterThan(90 * rounds);
  expect(leftOut.reasons).toHaveLength(100);
});

import { expect, test } from 'vitest';
import { createHealthMemory, HealthTable, WHOLE_SHARE } from '../../src/health/table.js';

test('everybody is well at first', () => {
  const table = new HealthTable();
  expect([table.isUp(1), table.share(1), table.changes]).toEqual([true, WHOLE_SHARE, 0]);
});

test('what the primary sets, another view of the memory reads', () => {
  const memory = createHealthMemory();
  const [primary, worker] = [new HealthTable(memory), new HealthTable(memory)];
  primary.set(7, { up: false, share: 0 });
  primary.set(8, { up: true, share: 64 });
  expect([7, 8, 9].map((id) => [worker.isUp(id), worker.share(id)])).toEqual([
    [false, 0],
    [true, 64],
    [true, WHOLE_SHARE],
  ]);
});

test('changes are counted, repetitions are not', () => {
  const table = new HealthTable();
  table.set(3, { up: false, share: WHOLE_SHARE });
  table.set(3, { up: false, share: WHOLE_SHARE });
  expect(table.changes).toBe(1);
  table.set(3, { up: true, share: WHOLE_SHARE });
  expect([table.isUp(3), table.changes]).toEqual([true, 2]);
});

test('an id beyond the capacity is well, and nobody else pays for it', () => {
  const table = new HealthTable(new SharedArrayBuffer(4 * 4));
  table.set(3, { up: false, share: 0 });
  expect([0, 1, 2, 3].map((id) => table.isUp(id))).toEqual([true, true, true, true]);
  expect(table.changes).toBe(0);
});

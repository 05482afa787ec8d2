import { expect, test, vi } from 'vitest';
import { createLogBatch } from '../../src/worker/log-batch.js';

test('lines go together, in order, once', () => {
  vi.useFakeTimers();
  const sent: string[] = [];
  const batch = createLogBatch((lines) => sent.push(lines));
  batch.write('a\n');
  batch.write('b\n');
  expect(sent).toEqual([]);
  vi.runAllTimers();
  expect(sent).toEqual(['a\nb\n']);
  batch.flush();
  expect(sent).toHaveLength(1);
  vi.useRealTimers();
});

test('a large batch does not wait', () => {
  const sent: string[] = [];
  const batch = createLogBatch((lines) => sent.push(lines));
  batch.write('x'.repeat(70_000));
  expect(sent).toHaveLength(1);
});

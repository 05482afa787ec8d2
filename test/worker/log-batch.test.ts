import { expect, test, vi } from 'vitest';
import { createLogBatch } from '../../src/worker/log-batch.js';

function batching() {
  const sent: string[] = [];
  return { sent, batch: createLogBatch((lines) => sent.push(Buffer.from(lines).toString())) };
}

test('lines go together, in order, once', () => {
  vi.useFakeTimers();
  const { sent, batch } = batching();
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
  const { sent, batch } = batching();
  batch.write('x'.repeat(70_000));
  expect(sent).toHaveLength(1);
});

test('lines stay whole and in order, whatever their characters take', () => {
  const { sent, batch } = batching();
  const lines = Array.from({ length: 3000 }, (_, i) => `${i} ${'é😀a'.repeat(i % 60)}\n`);
  const long = `${'€'.repeat(70_000)}\n`;
  for (const line of [...lines, long, 'last\n']) batch.write(line);
  batch.flush();
  expect(sent.join('')).toBe([...lines, long, 'last\n'].join(''));
  for (const part of sent) expect(part.endsWith('\n')).toBe(true);
  expect(sent.length).toBeGreaterThan(3);
});

test('what was sent does not change any more', () => {
  const kept: Uint8Array[] = [];
  const batch = createLogBatch((lines) => kept.push(lines));
  batch.write('a\n');
  batch.flush();
  batch.write('b\n');
  batch.flush();
  expect(kept.map((lines) => Buffer.from(lines).toString())).toEqual(['a\n', 'b\n']);
});

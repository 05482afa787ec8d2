import { expect, test } from 'vitest';
import { createLogger } from '../../../src/base/log.js';
import { Upgrading } from '../../../src/cli/run/upgrading.js';

function hear() {
  const lines: string[] = [];
  const log = createLogger({ level: 'info', write: (line) => lines.push(line) });
  return { lines, upgrading: new Upgrading(log) };
}

test('process 1 of a container is not upgraded: it is said what is done instead', () => {
  const { lines, upgrading } = hear();
  upgrading.signal(1);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/process 1 of a container.*rolling update/);
});

test('before it is ready nothing is begun', () => {
  const { lines, upgrading } = hear();
  upgrading.signal(4711);
  expect(lines[0]).toMatch(/starting or ending/);
});

test('a flood of signals is not a flood of lines', () => {
  const { lines, upgrading } = hear();
  const startMs = performance.now();
  for (let sent = 0; sent < 1000; sent += 1) upgrading.signal(1);
  expect(lines.length).toBeLessThanOrEqual(Math.ceil((performance.now() - startMs) / 1000) + 1);
});

/** Cost of a scrape of many listeners, in countable operations. */
import { expect, test } from 'vitest';
import { rowCells } from '../../src/metrics/cells.js';
import { createCounters, RowMemory } from '../../src/metrics/memory.js';
import { createMetricsText } from '../../src/metrics/registry.js';
import { TotalsReader } from '../../src/metrics/totals.js';
import type { Named } from '../../src/model/ids.js';
import { IdRegistry } from '../../src/plane/ids.js';
import { noFigures } from '../support/counts.js';
import { EngineCounts } from './engine-counts.js';

const numbered = (count: number, name: string) =>
  Array.from({ length: count }, (_, index) => `${name}-${index}`);

/** Workers that have relayed a session per protocol and listener, and had others cut short. */
function busy(workers: number, listeners: number, protocols: number) {
  const names = new IdRegistry();
  const named: Named = {
    listeners: numbered(listeners, 'listener').map((name) => ({ name })),
    protocols: numbered(60, 'protocol').map((id) => ({ id })),
    upstreams: [{ name: 'web', endpoints: numbered(4, 'endpoint').map((name) => ({ name })) }],
  };
  const buffers = Array.from({ length: workers }, () => createCounters());
  for (const buffer of buffers) {
    const counts = EngineCounts.of(buffer, names, named);
    for (let listener = 0; listener < listeners; listener += 1) {
      counts.accept(listener, protocols);
      for (let protocol = 0; protocol < protocols; protocol += 1) {
        counts.identify(listener, protocol, 1);
        counts.connect(0, protocol % 4, 1);
        counts.relay(listener, protocol, 1000, 1000);
        counts.end(listener, protocol, 'done', 10);
      }
    }
  }
  return { names, buffers };
}

test('200 listeners of 2 protocols, with traffic on all of them: under 3,000 lines', async () => {
  const { names, buffers } = busy(2, 200, 2);
  const text = await createMetricsText({ buffers, names, figures: () => noFigures }).scrape();
  const lines = text.split('\n').length;
  expect(lines).toBeGreaterThan(200 * 2);
  expect(lines).toBeLessThan(3_000);
});

test('listeners without traffic are two lines each', async () => {
  const { names, buffers } = busy(1, 1_000, 0);
  const text = await createMetricsText({ buffers, names, figures: () => noFigures }).scrape();
  const shown = text.split('\n').filter((line) => line.includes('listener='));
  expect(shown).toHaveLength(2_000);
  expect(new Set(shown.map((line) => line.split('{')[0]))).toEqual(
    new Set(['anyport_accepted_total', 'anyport_sessions_active']),
  );
});

test('a scrape of 1,000 listeners reads each cell in use once, and looks for new rows only behind the last', () => {
  const { names, buffers } = busy(2, 1_000, 3);
  const memories = buffers.map((buffer) => new RowMemory(buffer));
  const inUse = { headers: 0, cells: 0 };
  for (const memory of memories) {
    memory.scan(({ scope }) => {
      inUse.headers += 1;
      inUse.cells += rowCells[scope];
    });
  }
  const read = { headers: 0, cells: 0 };
  const watched = memories.map((memory) => countingReads(memory, read));
  const reader = new TotalsReader(watched, names);
  reader.read();
  expect(read).toEqual(inUse);
  reader.read();
  expect(read).toEqual({ headers: inUse.headers, cells: 2 * inUse.cells });
});

function countingReads(memory: RowMemory, read: { headers: number; cells: number }): RowMemory {
  const cells = new Proxy(memory.cells, {
    get(target, property) {
      if (typeof property === 'string' && /^\d+$/.test(property)) read.cells += 1;
      const value = Reflect.get(target, property, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const scan: RowMemory['scan'] = (visit, position) =>
    RowMemory.prototype.scan.call(
      memory,
      (row) => {
        read.headers += 1;
        visit(row);
      },
      position,
    );
  return { cells, scan } as RowMemory;
}

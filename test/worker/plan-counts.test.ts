/** Rows of a Plan's indices. */
import { expect, test } from 'vitest';
import { WorkerCounters } from '../../src/metrics/counters.js';
import { createCounters } from '../../src/metrics/memory.js';
import { IdRegistry } from '../../src/plane/ids.js';
import { PlanCounts } from '../../src/worker/plan-counts.js';

const endpoints = [{ name: '*' }];

test('upstreams of one name are counted as one, and told apart by their ids', () => {
  const upstreams = [
    { name: 'web', endpoints },
    { name: 'connect_proxy', endpoints },
    { name: 'connect_proxy', key: 'connect_proxy alice', endpoints },
    { name: 'connect_proxy/bob', endpoints },
  ];
  const ids = new IdRegistry().of({ listeners: [], protocols: [], upstreams });
  const counts = new PlanCounts(new WorkerCounters(createCounters()), ids, upstreams);
  expect(new Set(ids.upstreams).size).toBe(4);
  expect(new Set(ids.endpoints.flat()).size).toBe(4);
  const rows = upstreams.map((_, index) => counts.upstreamRow(index));
  expect(rows[2]).toBe(rows[1]);
  expect(new Set(rows).size).toBe(3);
  const endpointRows = upstreams.map((_, index) => counts.endpointRow(index, 0));
  expect(endpointRows[2]).toBe(endpointRows[1]);
  expect(new Set(endpointRows).size).toBe(3);
});

/** The benchmark of datagrams says of a bound what its rounds show, and gives no figure to whoever was wrong. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { contendersFor, FLOORS, OURS, RIVAL, type Start } from '../../bench/udp/contenders.js';
import { measure, type Run } from '../../bench/udp/measure.js';
import { outcomesOf, summary, table, verdictOf } from '../../bench/udp/outcome.js';
import { type Workload, workloads } from '../../bench/udp/workloads.js';
import { type ExchangeEndpoint, noFaults, startExchangeEndpoint } from '../support/exchange.js';

const workload = (name: string): Workload => {
  const found = workloads(0.01).find((each) => each.name === name);
  if (!found) throw new Error(`no workload ${name}`);
  return found;
};

describe('a run of the bare relay', () => {
  let endpoint: ExchangeEndpoint;
  beforeAll(async () => {
    endpoint = await startExchangeEndpoint();
  });
  afterAll(() => endpoint.stop());

  test.each(
    ['ping64', 'fan', 'largest', 'new', 'idle'].flatMap((name) => FLOORS.map((floor) => ({ name, floor }))),
  )('$name, $floor', async ({ name, floor }) => {
    const small = workload(name);
    const start = contendersFor(small).get(floor) as Start;
    const relay = await start(endpoint.port, small);
    const run = await measure(relay, endpoint, small);
    await relay.stop();
    expect(run.faults).toEqual(noFaults);
    expect(run.rate).toBeGreaterThan(0);
    expect(run.cost).toBeGreaterThan(0);
  });
});

test.each([
  { low: 0.7, high: 0.9, verdict: 'held' },
  { low: 0.7, high: 0.91, verdict: 'not shown' },
  { low: 0.91, high: 0.95, verdict: 'broken' },
])('from $low to $high, a bound of 0.9 is $verdict', ({ low, high, verdict }) =>
  expect(verdictOf({ median: (low + high) / 2, low, high, rounds: 6 }, 0.9)).toBe(verdict),
);

const runs = (costs: readonly number[], lost = 0): Run[] =>
  costs.map((cost) => ({ cost, busy: 0.5, rate: 1, faults: { ...noFaults, lost } }));

describe('what is to be reached', () => {
  const [big, rest] = [workload('big64'), workload('rest')];
  const named = (ours: Run[]) =>
    new Map([
      [RIVAL, runs([100, 200])],
      [OURS[0], ours],
    ]);

  test('a ratio to the same round', () => {
    const outcomes = outcomesOf(big, named(runs([78, 164])));
    expect(outcomes).toMatchObject([
      { bounds: ['0.9: held', '0.8: not shown', '0.74: broken'], broken: false },
    ]);
    expect(summary(outcomes)).toContain('0.80 (0.78–0.82)');
  });

  test('a value', () =>
    expect(outcomesOf(rest, named(runs([0.01, 0.03])))).toMatchObject([
      { bounds: ['0.1: held', '0.02: not shown', '0: broken'] },
    ]));

  test('nothing for whoever has lost a datagram', () => {
    const wrong = named(runs([10, 20], 1));
    const [outcome] = outcomesOf(big, wrong);
    expect(outcome).toMatchObject({ figure: '–', faults: 'lost 2', broken: true });
    expect(outcome?.bounds[0]).toBe('0.9: not shown');
    expect(table(big, wrong)).toMatch(/anyport +– +– +– +1 +50 % +lost 2/);
  });
});

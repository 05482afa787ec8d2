/** How many nodes limits are divided by: at once at first, later only what lasts. */
import { expect, test } from 'vitest';
import type { Link } from '../../src/cluster/link.js';
import { ReadNodes } from '../../src/cluster/live-nodes.js';
import { NODES_SETTLE_MS, NodeCount } from '../../src/cluster/node-count.js';
import { HandClock } from '../support/clock.js';

function linked(dividesLimits = true) {
  const clock = new HandClock();
  const nodes = new ReadNodes('/anyport');
  const link = { clock, nodes, config: { nodeId: 'n1', dividesLimits } } as unknown as Link;
  const see = (...ids: string[]) => {
    const items = ids.map((id) => ({
      key: `/anyport/nodes/${id}`,
      value: Buffer.from('{}'),
      modRevision: 1,
    }));
    nodes.take({ items: new Map(items.map((item) => [item.key, item])), revision: 1 });
  };
  const told: number[] = [];
  const count = new NodeCount((number) => told.push(number));
  count.follow(link);
  return { clock, see, told, count, link };
}

test('the first number counts at once, this node among them', () => {
  const { see, told } = linked();
  see('n2', 'n3');
  expect(told).toEqual([3]);
});

test('a change counts when it has lasted', async () => {
  const { clock, see, told } = linked();
  see('n1', 'n2');
  see('n1', 'n2', 'n3');
  await clock.advance(NODES_SETTLE_MS - 1);
  expect(told).toEqual([2]);
  await clock.advance(1);
  expect(told).toEqual([2, 3]);
});

test('nodes that restart one after the other change nothing', async () => {
  const { clock, see, told } = linked();
  see('n1', 'n2', 'n3');
  for (const left of [
    ['n1', 'n2'],
    ['n1', 'n3'],
    ['n1', 'n2', 'n3'],
  ]) {
    see(...left);
    await clock.advance(NODES_SETTLE_MS / 2);
  }
  await clock.advance(10 * NODES_SETTLE_MS);
  expect(told).toEqual([3]);
});

test('one alone divides nothing, and says nothing', async () => {
  const { clock, see, told } = linked();
  see('n1');
  await clock.advance(10 * NODES_SETTLE_MS);
  expect(told).toEqual([]);
});

test('not asked for, or not any more: nothing is counted, and no timer is left', async () => {
  const off = linked(false);
  off.see('n1', 'n2');
  expect(off.told).toEqual([]);
  const { clock, see, told, count } = linked();
  see('n1', 'n2');
  see('n1');
  count.follow(null);
  see('n1', 'n2', 'n3');
  expect(clock.waiting).toBe(0);
  expect(told).toEqual([2]);
});

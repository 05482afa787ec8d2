/** Verdicts of nodes that share real etcd: heard, bounded to live nodes, and dropped when etcd is silent for too long. */
import { expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.js';
import { SharedHealth } from '../../src/cluster/shared-health.js';
import { type Tally, type Verdict, type Verdicts, type Votes, verdictKey } from '../../src/model/verdicts.js';
import { etcdTools } from '../support/etcd.js';
import { etcdGround } from '../support/etcd-ground.js';
import { describeWith } from '../support/tools.js';
import { eventually } from '../support/wait.js';
import { type LinkedNode, linked } from './links.js';

const web = verdictKey('web', '10.0.0.1:80');

interface Node extends LinkedNode {
  votes: Votes | null;
  own: Verdicts;
  readonly warnings: string[];
}

describeWith(...etcdTools)('shared health', () => {
  const ground = etcdGround();
  const key = (node: string) => `${ground.prefix}/health/${node}`;

  function join(id: string, verdict?: Verdict): Node {
    const node: Node = {
      ...linked(ground.etcd, id, systemClock, { prefix: ground.prefix }),
      votes: null,
      own: new Map(verdict === undefined ? [] : [[web, verdict]]),
      warnings: [],
    };
    const health = new SharedHealth({
      own: () => node.own,
      changed: (votes) => {
        node.votes = votes;
      },
      warn: (fields, message) => node.warnings.push(`${message} ${JSON.stringify(fields)}`),
    });
    node.follow(health);
    ground.ends.push(() => node.leave());
    return node;
  }

  const tally = (node: Node): Tally | undefined => node.votes?.tallies.get(web);
  const hears = (node: Node, expected: Tally) =>
    eventually('the count', () => JSON.stringify(tally(node)) === JSON.stringify(expected));

  test('each node counts what the others say, and not itself', async () => {
    const [one, two, three] = [join('n1', 'down'), join('n2', 'down'), join('n3', 'up')];
    await hears(one, { up: 1, down: 1 });
    await hears(three, { up: 0, down: 2 });
    one.own = new Map([[web, 'up']]);
    await hears(three, { up: 1, down: 1 });
    await two.leave();
    await hears(three, { up: 1, down: 0 });
  });

  test('a value that is deleted or written over is written again', async () => {
    const [, two] = [join('n1', 'down'), join('n2')];
    await hears(two, { up: 0, down: 1 });
    await ground.client.delete(key('n1'));
    await eventually('the key again', async () => (await ground.client.get(key('n1'))).items.length === 1);
    await hears(two, { up: 0, down: 1 });
    await ground.client.put(key('n1'), '{"up":{"web":["10.0.0.1:80"]}}');
    await eventually('the truth', async () =>
      (await ground.client.get(key('n1'))).items[0]?.value.includes('"down":{"web"'),
    );
    await hears(two, { up: 0, down: 1 });
  });

  test('a value of nobody, and one that makes no sense, are left out; the latter by its name', async () => {
    await ground.client.put(key('ghost'), '{"down":{"web":["10.0.0.1:80"]}}');
    await ground.client.put(key('odd'), '{"down":7}');
    const [one, two] = [join('n1', 'down'), join('n2')];
    await hears(two, { up: 0, down: 1 });
    expect(two.warnings).toEqual([
      `left out: etcd: ${key('odd')}: down: expected lists of endpoints by upstream {}`,
    ]);
    await ground.client.put(key('odd'), 'x'.repeat(100_000));
    await eventually('the other fault', () => two.warnings.length === 2);
    expect(two.warnings[1]).toContain('a value of 100000 bytes, where 65536 are allowed');
    expect(tally(one)).toBeUndefined();
  });

  test('without etcd what was heard counts for one ttl, and again when it is back', async () => {
    const two = join('n2', 'up');
    join('n1', 'down');
    await hears(two, { up: 0, down: 1 });
    await ground.etcd.members[0]?.down();
    await eventually('the outage', () => two.isFailing());
    expect(tally(two)).toEqual({ up: 0, down: 1 });
    await eventually('the end of what was fresh', () => two.votes?.tallies.size === 0);
    await ground.etcd.members[0]?.up();
    await hears(two, { up: 0, down: 1 });
  });

  test('a node that hangs is not heard any more once its lease has gone', async () => {
    const two = join('n2', 'up');
    const one = join('n1', 'down');
    await hears(two, { up: 0, down: 1 });
    one.hang();
    await hears(two, undefined as unknown as Tally);
  });

  test('off: nothing is said, and nobody listened to', async () => {
    const two = join('n2', 'down');
    await eventually('its key', async () => (await ground.client.get(key('n2'))).items.length === 1);
    two.unfollow();
    expect(two.votes).toBeNull();
  });
});

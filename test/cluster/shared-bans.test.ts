/** Bans of nodes that share real etcd and a key: told, taken back, and refused from whoever lacks the key or repeats. */
import { expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.js';
import { formatNote, noteLimits } from '../../src/cluster/ban-notes.js';
import { SharedBans } from '../../src/cluster/shared-bans.js';
import type { BanNote } from '../../src/model/ban-note.js';
import { etcdTools } from '../support/etcd.js';
import { etcdGround } from '../support/etcd-ground.js';
import { describeWith } from '../support/tools.js';
import { eventually } from '../support/wait.js';
import { type LinkedNode, linked } from './links.js';

const SECRET = 'k'.repeat(32);

interface Node extends LinkedNode {
  readonly shared: SharedBans;
  /** Addresses, by node. */
  readonly learned: Map<string, string>;
  readonly warnings: string[];
  ban(...addresses: string[]): void;
}

describeWith(...etcdTools)('shared bans', () => {
  const ground = etcdGround();
  const key = (node: string) => `${ground.prefix}/bans/${node}`;

  function join(id: string, clusterKey: string | null = SECRET): Node {
    let [version, bans]: [number, readonly BanNote[]] = [0, []];
    const [learned, warnings] = [new Map<string, string>(), [] as string[]];
    const shared = new SharedBans({
      own: () => ({ version, list: (most) => bans.slice(0, most) }),
      learned: (node, notes) => void learned.set(node, notes.map(({ address }) => address).join()),
      warn: (_, message) => void warnings.push(message),
    });
    const node: Node = {
      ...linked(ground.etcd, id, systemClock, { clusterKey, prefix: ground.prefix }),
      ...{ shared, learned, warnings },
      ban(...addresses) {
        version += 1;
        bans = addresses.map((address) => ({ address, leftMs: 60_000 }));
      },
    };
    node.follow(shared);
    ground.ends.push(() => node.leave());
    return node;
  }

  const learns = (node: Node, from: string, addresses: string) =>
    eventually(`${addresses} from ${from}`, () => node.learned.get(from) === addresses);
  const value = async (node: string) => (await ground.client.get(key(node))).items[0]?.value;

  test('others learn what a node has banned, and that it has taken it back; they do not repeat it', async () => {
    const [one, two] = [join('n1'), join('n2')];
    one.ban('192.0.2.7', '2001:db8::');
    await learns(two, 'n1', '192.0.2.7,2001:db8::');
    one.ban('2001:db8::');
    await learns(two, 'n1', '2001:db8::');
    one.ban();
    await learns(two, 'n1', '');
    expect(await value('n2')).toBeUndefined();
    expect(two.shared.refused).toEqual({ signature: 0, old: 0, malformed: 0 });
  });

  test('a node with another key is refused and counted, and one without takes no part', async () => {
    const [one, two, none] = [join('n1'), join('n2', 'x'.repeat(32)), join('n3', null)];
    one.ban('192.0.2.7');
    none.ban('192.0.2.9');
    await eventually('the refusal', () => two.shared.refused.signature === 1);
    expect(two.warnings).toEqual([
      `left out: etcd: ${key('n1')}: not signed with the \`cluster_key\` of this node`,
    ]);
    expect([two.learned.size, none.learned.size]).toEqual([0, 0]);
    expect(await value('n3')).toBeUndefined();
  });

  test('what a node has once signed can not be written again under another name, nor later', async () => {
    const [one, two] = [join('n1'), join('n2')];
    one.ban('192.0.2.7');
    await learns(two, 'n1', '192.0.2.7');
    await ground.client.put(key('n3'), (await value('n1')) ?? '');
    await eventually('the wrong name', () => two.shared.refused.signature === 1);
    const { revision } = await ground.client.get(key('n3'));
    const earlier = revision - noteLimits.writesMax;
    await ground.client.put(
      key('n3'),
      formatNote(SECRET, key('n3'), earlier, [{ address: '192.0.2.8', leftMs: 1000 }]),
    );
    await eventually('the old one', () => two.shared.refused.old === 1);
    expect(two.learned.has('n3')).toBe(false);
  });

  test('a value that is deleted or written over is signed and written again', async () => {
    const [one, two] = [join('n1'), join('n2')];
    one.ban('192.0.2.7');
    await learns(two, 'n1', '192.0.2.7');
    const first = (await value('n1'))?.toString();
    await ground.client.delete(key('n1'));
    await eventually('it again', async () => (await value('n1')) !== undefined);
    expect((await value('n1'))?.toString()).not.toBe(first);
    await ground.client.put(key('n1'), '{"down":7}');
    await eventually('the refusal', () => two.shared.refused.malformed === 1);
    await eventually('it again', async () => (await value('n1'))?.includes('signed'));
    expect(two.learned.get('n1')).toBe('192.0.2.7');
  });

  test('what a node had banned is not taken back because it is gone', async () => {
    const [one, two] = [join('n1'), join('n2')];
    one.ban('192.0.2.7');
    await learns(two, 'n1', '192.0.2.7');
    await one.leave();
    await eventually('its key to be gone', async () => (await value('n1')) === undefined);
    expect(two.learned.get('n1')).toBe('192.0.2.7');
  });
});

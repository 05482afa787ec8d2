/** The hand-over between two processes, both ends in this one. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { native } from '../../src/addon.js';
import type { NamedRow } from '../../src/model/named-row.js';
import { openGroup, type SocketGroup } from '../../src/primary/socket-group.js';
import { StartError } from '../../src/primary/start-error.js';
import { totalsMessages } from '../../src/primary/upgrade/channel.js';
import { PREDECESSOR_MS_MAX, Predecessor } from '../../src/primary/upgrade/predecessor.js';
import { type Estate, Successor } from '../../src/primary/upgrade/successor.js';
import { FakeClock, settled } from '../base/fake-clock.js';
import { eventually } from '../support/wait.js';

const groups: SocketGroup[] = [];

async function group(size: number): Promise<SocketGroup> {
  const address = { kind: 'inet', host: '127.0.0.1', port: 0, text: '127.0.0.1:0' } as const;
  const opened = await openGroup(address, { size, holdsPort: false }, native);
  groups.push(opened);
  return opened;
}

afterEach(() => {
  for (const { sockets } of groups.splice(0)) for (const { fd } of sockets) native.closeFd(fd);
});

const row = (name: string, accepted: number): NamedRow => ({
  scope: 'listener',
  names: [name],
  cells: { anyport_accepted_total: accepted },
});

const membership = { instance: 'a', lease: '7' };

/** Totals as they arrive. */
class Sink {
  rows: NamedRow[] = [];
  isSettled = false;
  take(rows: readonly NamedRow[]): void {
    this.rows.push(...rows);
  }
  settle(): void {
    this.isSettled = true;
  }
}

interface World {
  readonly clock: FakeClock;
  readonly successor: Successor;
  readonly predecessor: Predecessor;
  /** What the old process has heard. */
  readonly heard: string[];
  /** Rows that the old process tells next. */
  rows: NamedRow[];
  groups: Estate['groups'][number][];
}

let world: World;

beforeEach(() => {
  const [ours, theirs] = native.packetPair();
  const heard: string[] = [];
  const clock = new FakeClock();
  const estate = {
    version: '1.0.0',
    get groups() {
      return world.groups;
    },
    membership,
    totals: () => world.rows.splice(0),
  };
  const events = {
    ready: () => heard.push('ready'),
    failed: (why: string) => heard.push(why),
    left: () => heard.push('left'),
  };
  world = {
    clock,
    successor: new Successor(ours, estate, events, native),
    predecessor: new Predecessor(theirs, { ...native, redirect: () => {} }, clock),
    heard,
    rows: [],
    groups: [],
  };
});

const heard = (text: string | RegExp) =>
  eventually(`${text}, beside ${world.heard}`, () => world.heard.some((each) => each.match(text)));

describe('a hand-over', () => {
  test('brings every socket under its name and address, those of large groups too', async () => {
    const large = await group(150);
    const small = await group(1);
    world.groups = [
      { name: 'front', use: 'listener', group: large },
      { name: 'monitoring', use: 'monitoring', group: small },
    ];
    const got = await world.predecessor.greet('2.0.0');
    expect(got.map(({ name, group: { bound, sockets } }) => [name, bound, sockets.length])).toEqual([
      ['front', large.bound, 150],
      ['monitoring', small.bound, 1],
    ]);
    const numbers = (each: SocketGroup) => each.sockets.map(({ socket }) => socket);
    expect(numbers(got[0]?.group as SocketGroup)).toEqual(numbers(large));
    for (const {
      group: { sockets },
    } of got)
      for (const { fd } of sockets) native.closeFd(fd);
  });

  test('is complete when the new process accepts and the old one has let go', async () => {
    world.rows = [row('front', 3)];
    await world.predecessor.greet('2.0.0');
    const sink = new Sink();
    world.predecessor.follow(sink);
    expect(sink.rows).toEqual([row('front', 3)]);
    const taken = world.predecessor.takeOver();
    await heard('ready');
    world.rows = [row('front', 5)];
    world.successor.commit();
    await taken;
    expect(sink.rows.at(-1)).toEqual(row('front', 5));
    world.rows = [row('front', 6)];
    await world.successor.end();
    await world.predecessor.ended;
    expect(sink.rows.at(-1)).toEqual(row('front', 6));
    expect(sink.isSettled).toBe(true);
  });

  test('carries totals of thousands of rows', async () => {
    world.rows = Array.from({ length: 5000 }, (_, index) => row(`listener-${index}`.repeat(10), index));
    const sent = [...world.rows];
    await world.predecessor.greet('2.0.0');
    const sink = new Sink();
    world.predecessor.follow(sink);
    expect(sink.rows).toEqual(sent);
  });
});

describe('nothing is taken over', () => {
  test('when the new process fails: the old one hears why', async () => {
    await world.predecessor.greet('2.0.0');
    await world.predecessor.fail('listener front can not listen');
    await heard('listener front can not listen');
  });

  test('when the old one calls it off', async () => {
    await world.predecessor.greet('2.0.0');
    world.successor.callOff();
    await expect(world.predecessor.takeOver()).rejects.toThrow(/called off/);
  });

  test('when the old one ends before it has handed anything', async () => {
    const greeted = world.predecessor.greet('2.0.0');
    world.successor.callOff();
    await expect(greeted).rejects.toThrow(StartError);
  });

  test('when the old one hangs', async () => {
    await world.predecessor.greet('2.0.0');
    const taken = world.predecessor.takeOver();
    const refused = expect(taken).rejects.toThrow(/does not answer/);
    await settled();
    await world.clock.pass(PREDECESSOR_MS_MAX);
    await refused;
  });
});

describe('two versions', () => {
  test('with different formats do not hand over, and both say so', async () => {
    const [ours, theirs] = native.packetPair();
    const told: string[] = [];
    const events = { ready: () => {}, failed: (why: string) => told.push(why), left: () => {} };
    const successor = new Successor(
      ours,
      { version: '1.0.0', groups: [], membership, totals: () => [] },
      events,
      native,
    );
    native.sendPacket(theirs, Buffer.from('{"type":"hello","format":999,"version":"9.0.0"}'), []);
    await eventually('the refusal', () => told.length > 0);
    expect(told[0]).toMatch(/9\.0\.0 hands over in format 999, this one in format \d+: restart/);
    successor.callOff();
    native.closeFd(theirs);
  });

  test.each(['', 'garbage', '[]', '{"type":"unheard of"}', '{}', 'null'])(
    'a message that is none ends the hand-over: %o',
    async (text) => {
      const [ours, theirs] = native.packetPair();
      const told: string[] = [];
      const events = {
        ready: () => {},
        failed: (why: string) => told.push(why),
        left: () => told.push('left'),
      };
      new Successor(ours, { version: '1.0.0', groups: [], membership, totals: () => [] }, events, native);
      if (text === '') native.closeFd(theirs);
      else native.sendPacket(theirs, Buffer.from(text), []);
      await eventually('the end', () => told.length > 0);
      expect(told).toEqual([text === '' ? 'left' : 'it sent what is no message of a hand-over']);
      if (text !== '') native.closeFd(theirs);
    },
  );
});

test('an inherited descriptor that does not listen is refused', async () => {
  const [end, other] = native.packetPair();
  const address = { kind: 'inet', host: '127.0.0.1', port: 1, text: '127.0.0.1:1' } as const;
  world.groups = [
    {
      name: 'front',
      use: 'listener',
      group: { address, bound: '127.0.0.1:1', sockets: [{ socket: 1, fd: end }], retiring: [], file: null },
    },
  ];
  await expect(world.predecessor.greet('2.0.0')).rejects.toThrow(/127\.0\.0\.1:1 is not usable/);
  for (const fd of [end, other]) native.closeFd(fd);
});

test('the old process that dies after it has handed everything is replaced', async () => {
  await world.predecessor.greet('2.0.0');
  const sink = new Sink();
  world.predecessor.follow(sink);
  const taken = world.predecessor.takeOver();
  await heard('ready');
  await world.successor.end(); // closes its end without a word, as the kernel does for it
  await taken;
  expect(sink.isSettled).toBe(true);
});

test('rows are sent in messages that fit, and one that never will is left out', () => {
  const rows = [row('a', 1), row('x'.repeat(5000), 2), row('b', 3), row('c', 4)];
  const messages = totalsMessages(rows, 200);
  for (const message of messages) expect(JSON.stringify(message).length).toBeLessThanOrEqual(200);
  expect(messages.flatMap((each) => (each.type === 'totals' ? each.rows : []))).toEqual([
    row('a', 1),
    row('b', 3),
    row('c', 4),
  ]);
});

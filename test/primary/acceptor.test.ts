import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { type Acceptor, type Handing, native } from '../../src/addon.js';
import { createRoom } from '../../src/metrics/room.js';
import type { ListeningSocket } from '../../src/model/message.js';
import type { Plan, PlanListener } from '../../src/model/plan.js';
import { openFiles } from '../support/proc.js';
import { dial } from '../support/tcp.js';
import { eventually } from '../support/wait.js';
import { type Plane, planFor, startPlane, withIds } from '../worker/plane.js';

const cleanups: (() => void)[] = [];
const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

interface TestSocket extends ListeningSocket {
  readonly port: number;
}

/** For a listener of this name. */
function listen(name: string): TestSocket {
  const fd = native.listen({ host: '127.0.0.1', port: 0 }, { reusePort: false, backlog: 400 });
  cleanups.push(() => native.closeFd(fd));
  const address = native.localAddress(fd);
  return { ...named(name, fd), port: 'port' in address ? address.port : 0 };
}

const named = (name: string, fd: number): ListeningSocket => ({
  transport: 'tcp',
  socket: native.socketNumber(fd),
  listener: planOf(1, name).ids.listeners[0] ?? 0,
  fd,
});

/** A Plan with listeners of these names. */
function planOf(generation: number, ...names: string[]): Plan {
  const [front] = planFor([]).listeners as [PlanListener];
  return withIds(planFor([], { generation, listeners: names.map((name) => ({ ...front, name })) }));
}

function createAcceptor(): Acceptor {
  const acceptor = new native.Acceptor({ room: new Int32Array(createRoom()) });
  cleanups.push(() => acceptor.close());
  return acceptor;
}

const MANY = 1000;

function accept(acceptor: Acceptor, handing: Partial<Handing>): void {
  acceptor.prepare({
    generation: 1,
    sockets: [],
    inboxes: [],
    maxConnections: MANY,
    acceptsPerTurn: 64,
    ...handing,
  });
  acceptor.leave();
  acceptor.commit();
}

function acceptInto(inboxes: readonly number[], maxConnections: number, acceptsPerTurn = 64): number {
  const socket = listen('front');
  accept(createAcceptor(), { sockets: [socket], inboxes, maxConnections, acceptsPerTurn });
  return socket.port;
}

function createInbox(): number {
  const inbox = native.createInbox();
  cleanups.push(() => native.closeInbox(inbox));
  return inbox;
}

test('connections go to the worker that is there, not to one that is gone or to come', async () => {
  const CLIENTS = 20;
  const inboxes = [createInbox(), createInbox()];
  const port = acceptInto(inboxes, 2 * CLIENTS);
  for (const inbox of inboxes) {
    const plane = await startPlane(planFor([]), inbox);
    const clients = await Promise.all(Array.from({ length: CLIENTS }, () => dial(port)));
    await eventually('all to be taken', () => plane.open() === CLIENTS);
    await plane.stop();
    for (const client of clients) client.socket.destroy();
  }
});

test.each([64, 4])(
  'no more are on their way to a worker than may be open, and 2 x %i',
  async (acceptsPerTurn) => {
    const CLIENTS = 400;
    const port = acceptInto([createInbox()], 2, acceptsPerTurn);

    const before = openFiles(process.pid);
    // No worker takes connections: those over the limit stay in the backlog.
    const clients = Array.from({ length: CLIENTS }, () => connect(port, '127.0.0.1'));
    for (const client of clients) cleanups.push(() => client.destroy());
    await sleep(500);
    const onTheirWay = openFiles(process.pid) - before - CLIENTS;
    expect(onTheirWay).toBeGreaterThan(2);
    expect(onTheirWay).toBeLessThanOrEqual(2 + 2 * acceptsPerTurn);
  },
);

describe('when listeners change', () => {
  /** Connections that are established, and wait: this thread, which would accept them, does not return to its loop. */
  async function queue({ port }: TestSocket, count: number): Promise<void> {
    for (let each = 0; each < count; each++) {
      const client = connect(port, '127.0.0.1').on('error', () => {});
      cleanups.push(() => client.destroy());
    }
    await new Promise<void>((resolve) => process.nextTick(resolve));
  }

  async function startWorker(plan: Plan, inbox: number): Promise<Plane> {
    const plane = await startPlane(plan, inbox);
    stops.push(() => plane.stop());
    return plane;
  }

  const acceptedOf = (plane: Plane) => (listener: string) =>
    plane.metric('anyport_accepted_total', { listener });

  test('what waits at one that goes begins under the Plan that has it', async () => {
    const [front, back] = [listen('front'), listen('back')];
    const inbox = createInbox();
    const plane = await startWorker(planOf(1, 'front', 'back'), inbox);
    const acceptor = createAcceptor();
    accept(acceptor, { sockets: [front, back], inboxes: [inbox] });
    await queue(back, 20);
    acceptor.prepare({
      generation: 2,
      sockets: [front],
      inboxes: [inbox],
      maxConnections: MANY,
      acceptsPerTurn: 64,
    });
    acceptor.leave();
    await plane.adopt(planOf(2, 'front'));
    acceptor.commit();
    const accepted = acceptedOf(plane);
    expect([accepted('front'), accepted('back')]).toEqual([0, 20]);
  });

  test('a connection at one that the worker has not heard of waits for its Plan', async () => {
    const late = listen('late');
    const inbox = createInbox();
    const plane = await startWorker(planOf(1, 'front'), inbox);
    accept(createAcceptor(), { generation: 2, sockets: [late], inboxes: [inbox] });
    await dial(late.port);
    await sleep(100);
    const accepted = acceptedOf(plane);
    expect(accepted('late')).toBe(0);
    await plane.adopt(planOf(2, 'late', 'front'));
    expect([accepted('front'), accepted('late')]).toEqual([0, 1]);
  });

  test('a connection at one that is gone is reset, and counted for no other', async () => {
    const gone = listen('gone');
    const inbox = createInbox();
    accept(createAcceptor(), { sockets: [gone], inboxes: [inbox] });
    const client = await dial(gone.port);
    await sleep(100);
    const plane = await startWorker(planOf(2, 'front'), inbox);
    expect(await client.end()).toBe('reset');
    expect(plane.metric('anyport_accepted_total')).toBe(0);
  });

  test('one that is renamed accepts under its new name when all workers know it', async () => {
    const socket = listen('before');
    const inbox = createInbox();
    const plane = await startWorker(planOf(1, 'before'), inbox);
    const acceptor = createAcceptor();
    accept(acceptor, { sockets: [socket], inboxes: [inbox] });
    const sockets = [named('after', socket.fd)];
    acceptor.prepare({ generation: 2, sockets, inboxes: [inbox], maxConnections: MANY, acceptsPerTurn: 64 });
    acceptor.leave();
    await dial(socket.port);
    await plane.adopt(planOf(2, 'after'));
    await sleep(200); // longer than an acceptor rests
    expect(plane.metric('anyport_accepted_total')).toBe(0);
    acceptor.commit();
    const accepted = acceptedOf(plane);
    await eventually('it', () => accepted('after') === 1);
    expect(accepted('before')).toBe(0);
  });

  test('what is discarded changes nothing', async () => {
    const [front, back] = [listen('front'), listen('back')];
    const inbox = createInbox();
    const plane = await startWorker(planOf(1, 'front', 'back'), inbox);
    const acceptor = createAcceptor();
    accept(acceptor, { sockets: [front], inboxes: [inbox] });
    const before = openFiles(process.pid);
    acceptor.prepare({
      generation: 2,
      sockets: [back],
      inboxes: [inbox],
      maxConnections: MANY,
      acceptsPerTurn: 64,
    });
    acceptor.discard();
    expect(openFiles(process.pid)).toBe(before);
    await dial(front.port);
    await eventually('it', () => acceptedOf(plane)('front') === 1);
  });
});

test('workers come and go: connections are for those that are wanted', async () => {
  const socket = listen('front');
  const [first, second] = [createInbox(), createInbox()] as const;
  const acceptor = createAcceptor();
  const planes = [
    await startPlane(planOf(1, 'front'), first),
    await startPlane(planOf(1, 'front'), second),
  ] as const;
  stops.push(...planes.map((plane) => () => plane.stop()));
  const opened = async (inboxes: number[]) => {
    const before = planes.map(({ open }) => open());
    accept(acceptor, { sockets: [socket], inboxes });
    await Promise.all(Array.from({ length: 10 }, () => dial(socket.port)));
    await eventually('all', () => planes[0].open() + planes[1].open() === sum(before) + 10);
    return planes.map(({ open }, index) => open() - (before[index] ?? 0));
  };
  expect(await opened([first])).toEqual([10, 0]);
  expect(await opened([second])).toEqual([0, 10]);
  expect(sum(await opened([first, second]))).toBe(10);
});

test('what a worker was handed that is down, and is not to come back, is for the others', async () => {
  const socket = listen('front');
  const [dead, live] = [createInbox(), createInbox()] as const;
  const acceptor = createAcceptor();
  accept(acceptor, { sockets: [socket], inboxes: [dead] });
  await Promise.all(Array.from({ length: 10 }, () => dial(socket.port)));
  const plane = await startPlane(planOf(1, 'front'), live);
  stops.push(() => plane.stop());
  accept(acceptor, { sockets: [socket], inboxes: [live] });
  await eventually('all', () => plane.open() === 10);
});

const sum = (numbers: readonly number[]) => numbers.reduce((all, each) => all + each, 0);

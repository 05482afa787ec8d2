/** A session that is cut short is visible as such behind Unix sockets too, which have no RST. */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import type { PlanLimits } from '../../src/model/plan.js';
import { dial, Peer } from '../support/tcp.js';
import { tempFolder } from '../support/temp.js';
import { eventually } from '../support/wait.js';
import { endpoint, limits, type Plane, planFor, upstream, useStage } from './plane.js';

const { start } = useStage();

interface Witnessed {
  readonly bytes: number;
  /** `end`, or the code of an error. */
  readonly told: readonly string[];
  /** Begins to read. */
  readonly read?: () => void;
}
const witnessed = (): readonly Witnessed[] => (globalThis as { witnessed?: Witnessed[] }).witnessed ?? [];

const bytesUp = (plane: Plane): number => plane.metric('anyport_bytes_total', { direction: 'up' });

describe('a handler', () => {
  const PAYLOAD = Buffer.alloc(600_000, 'x');
  const witness = { ...upstream('a'), handler: new URL('./witness.mjs', import.meta.url).href };

  async function upload(how: string, change = {}): Promise<{ plane: Plane; client: Peer; seen: Witnessed }> {
    const plane = await start(planFor([witness], { limits: { ...limits, ...change } }));
    const n = witnessed().length;
    const client = (await dial(plane.port)).send(`aa${how}`);
    const seen = await eventually('the handler', () => witnessed()[n]);
    await eventually('its first bytes', () => seen.bytes === 3);
    return { plane, client, seen };
  }

  const ways = [
    { how: 'f', why: 'that reads as it comes' },
    { how: 's', why: 'that reads slowly' },
    { how: 'i', why: 'that iterates' },
    { how: 'p', why: 'that pipes' },
    { how: 'l', why: 'that reads only later' },
    { how: 'e', why: 'that has ended its own side' },
  ];
  const cuts: {
    cut: string;
    change?: Partial<PlanLimits>;
    make(plane: Plane, client: Peer): unknown;
    record: object;
  }[] = [
    {
      cut: 'its client',
      make: (_, client) => client.reset(),
      record: { by: 'client', reason: 'reset' },
    },
    {
      cut: 'a timeout',
      change: { idleTimeoutMs: 300, halfCloseTimeoutMs: 300 },
      make: () => {},
      record: { by: 'timeout', reason: expect.stringMatching(/^(idle|half_close)_timeout$/) },
    },
    {
      cut: 'the deadline of a drain',
      make: (plane) => plane.tell({ type: 'drain', deadlineMs: 0 }),
      record: { by: 'timeout', reason: 'drain_timeout' },
    },
    {
      cut: 'a second signal',
      make: (plane) => plane.tell({ type: 'cut' }),
      record: { by: 'admin', reason: 'admin' },
    },
    {
      cut: 'an administrator',
      async make(plane) {
        const reply = await plane.ask({ type: 'list', query: {} });
        const [session] = reply.type === 'listed' ? reply.sessions : [];
        const [, slot = -1, generation = -1] = (session?.id ?? '').split('-').map(Number);
        await plane.ask({ type: 'end', slot, generation });
      },
      record: { by: 'admin', reason: 'admin' },
    },
  ];
  describe.each(ways)('$why', ({ how }) => {
    test.each(cuts)(
      'sees an upload that $cut cut short as an error, after every byte before it',
      async (end) => {
        const { plane, client, seen } = await upload(how, end.change);
        client.send(PAYLOAD);
        await eventually('all to have left the client', () => client.socket.writableLength === 0);
        await end.make(plane, client);
        const record = await eventually('the record', () => plane.records()[0]);
        expect(record).toMatchObject(end.record);
        seen.read?.();
        await eventually('the handler to be told', () => seen.told.length > 0);
        expect(seen.told).toEqual(['ECONNRESET']);
        expect(record.bytes_up).toBe(seen.bytes);
      },
    );

    test('sees an upload that is whole as one', async () => {
      const { client, seen } = await upload(how);
      client.send(PAYLOAD).finish();
      seen.read?.();
      await eventually('the handler to be told', () => seen.told.length > 0);
      expect(seen.told[0]).toBe('end');
      expect(seen.bytes).toBe(3 + PAYLOAD.length);
    });

    test('is told when the session is cut short behind a whole upload', async () => {
      const { plane, client, seen } = await upload(how);
      client.send(PAYLOAD).finish();
      seen.read?.();
      await eventually('the end', () => seen.told.includes('end'));
      plane.tell({ type: 'cut' });
      await eventually('the end of the session', () => plane.open() === 0);
      // What had ended on both sides was whole; Node itself destroys a socket that was iterated to its end.
      const after: Record<string, string[]> = { e: [], i: ['ABORT_ERR'] };
      const ended = ['end', ...(after[how] ?? ['ECONNRESET'])];
      await eventually('the handler to be told', () => seen.told.length === ended.length);
      expect(seen.told).toEqual(ended);
    });
  });

  test('is told of a half-close that lasts too long', async () => {
    const { plane, client, seen } = await upload('f', { halfCloseTimeoutMs: 200 });
    client.finish();
    await eventually('the handler to be told', () => seen.told.length === 2);
    expect(seen.told).toEqual(['end', 'ECONNRESET']);
    const record = await eventually('the record', () => plane.records()[0]);
    expect(record).toMatchObject({ by: 'timeout', reason: 'half_close_timeout' });
  });
});

describe('a Unix endpoint', () => {
  const cleanups: (() => void)[] = [];
  afterEach(() => {
    for (const cleanup of cleanups.splice(0).reverse()) cleanup();
  });

  async function startUnix(serve: (socket: Socket) => void): Promise<{ plane: Plane; peers: Peer[] }> {
    const folder = tempFolder();
    const path = `${folder.path}/endpoint.sock`;
    const peers: Peer[] = [];
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      peers.push(new Peer(socket));
      serve(socket);
    }).listen(path);
    await once(server, 'listening');
    cleanups.push(
      () => folder.remove(),
      () => server.close(),
      () => {
        for (const peer of peers) peer.socket.destroy();
      },
    );
    const endpoints = [{ ...endpoint(1), name: path, addresses: [{ path }] }];
    return { plane: await start(planFor([{ ...upstream('a'), endpoints }])), peers };
  }

  test('whose bytes are still unread gets a reset, after every byte before it', async () => {
    const { plane, peers } = await startUnix((socket) => socket.write(Buffer.alloc(16 << 20)));
    const client = (await dial(plane.port)).send('aa');
    client.socket.pause();
    const peer = await eventually('the endpoint', () => peers[0]);
    await peer.bytes(2);
    client.send('last words');
    await eventually('all to be relayed', () => bytesUp(plane) === 12);
    // Waits until relaying stops: unread bytes then remain at the client's end too.
    let down = -1;
    await eventually('the endpoint to be stuck', async () => {
      const before = down;
      down = plane.metric('anyport_bytes_total', { direction: 'down' });
      await sleep(300);
      return down > 0 && down === before && peer.socket.writableLength > 0;
    });
    client.reset();
    expect(await peer.end()).toBe('reset');
    expect(peer.received.toString()).toBe('aalast words');
  });

  test('that has said nothing sees both directions end at once, never one alone', async () => {
    const { plane, peers } = await startUnix(() => {});
    const client = (await dial(plane.port)).send('aa');
    const peer = await eventually('the endpoint', () => peers[0]);
    await peer.bytes(2);
    const failed = once(peer.socket, 'error') as Promise<[NodeJS.ErrnoException]>;
    peer.socket.once('end', () => peer.send('anyone?'));
    client.reset();
    const [{ code }] = await failed;
    expect(code).toBe('EPIPE');
    expect(peer.received.toString()).toBe('aa');
  });
});

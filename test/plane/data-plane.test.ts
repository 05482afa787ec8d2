/** The built data plane with real worker threads: effects of a Plan that one worker can not prepare. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { native } from '../../src/addon.js';
import { createLogger } from '../../src/base/log.js';
import type { Plan, PlanForm, PlanProtocol, PlanUpstream } from '../../src/model/plan.js';
import type { PlaneChange } from '../../src/plane/change.js';
import type { DataPlane } from '../../src/plane/data-plane.js';
import type { Published } from '../../src/plane/publication.js';
import { ListeningSockets } from '../../src/primary/sockets.js';
import { collectsInto } from '../support/lines.js';
import { dial, echo, listenTcp, type Peer, type Upstream } from '../support/tcp.js';
import { type TempFolder, tempFolder } from '../support/temp.js';
import { eventually } from '../support/wait.js';
import { planFor, upstream, withIds } from '../worker/plane.js';

const dist = new URL('../../dist/plane/data-plane.js', import.meta.url).href;
const { DataPlane: Built } = (await import(dist)) as { DataPlane: typeof DataPlane };

const WORKERS = 2;
const refusal = 'a worker refused a new configuration, the current one stays';

let folder: TempFolder;
let before: Upstream;
let after: Upstream;
let sockets: ListeningSockets;
let plane: DataPlane;
let lines: Record<string, unknown>[];

beforeEach(async () => {
  folder = tempFolder();
  lines = [];
  [before, after] = [await listenTcp(echo), await listenTcp(echo)];
});

afterEach(async () => {
  await plane.close();
  sockets.close();
  for (const server of [before, after]) await server.close();
  folder.remove();
});

const restless = new URL('../primary/restless-handler.mjs', import.meta.url).href;

async function start(first: PlanUpstream = upstream('a', before.port)): Promise<void> {
  const plan = planOf(1, first);
  const address = { kind: 'inet', host: '127.0.0.1', port: 0, text: '127.0.0.1:0' } as const;
  const listener = {
    ...plan.listeners[0],
    transport: 'tcp',
    address,
    protocols: [],
    onUnknown: { kind: 'end', closing: 'reset' },
  };
  sockets = await ListeningSockets.open(
    [listener as never],
    { places: { tcp: WORKERS, udp: WORKERS } },
    native,
  );
  const write = collectsInto(lines);
  plane = new Built(changeTo(plan), { log: createLogger({ level: 'info', write }), write });
  await plane.start();
}

const changeTo = (plan: Plan): PlaneChange => ({
  plan,
  sockets,
  workers: WORKERS,
  accept: 'reuseport',
  logLevel: 'info',
  own: () => [],
  pipes: 16,
  acceptsPerTurn: 64,
});

const publish = (plan: Plan): Promise<Published> => plane.change(changeTo(plan));

/** Sessions that start with `aa` go to the upstream. */
const planOf = (generation: number, its: PlanUpstream): Plan => withIds(planFor([its], { generation }));

/** A Plan whose upstream is a handler with this source. */
const planOfModule = (generation: number, text: string): Plan =>
  planOf(generation, { ...upstream('a'), handler: `data:text/javascript,${encodeURIComponent(text)}` });

/** A module that runs this in the first worker to load it, and loads normally in the others. */
function inOneWorker(statement: string): string {
  const first = `${folder.path}/first`;
  return `
    import { mkdirSync } from 'node:fs';
    let isFirst = true;
    try { mkdirSync(${JSON.stringify(first)}); } catch { isFirst = false; }
    if (isFirst) { ${statement} }
    export default (socket) => socket.end('module');`;
}

async function client(): Promise<Peer> {
  return dial(Number(sockets.addresses[0]?.address.split(':').at(-1)));
}

/** With enough clients to reach each worker. */
async function asked(text: string): Promise<void> {
  for (let n = 0; n < 16; n++) {
    const peer = (await client()).send(text).finish();
    await peer.ended;
  }
}

async function echoes(peer: Peer, text: string): Promise<void> {
  const had = peer.length;
  peer.send(text);
  expect((await peer.bytes(had + text.length)).subarray(had).toString()).toBe(text);
}

async function untouched(published: Published): Promise<void> {
  expect(published).toMatchObject({ result: 'refused' });
  expect(plane.plan.generation).toBe(1);
  expect(lines.filter(({ msg }) => msg === refusal)).toEqual([
    expect.objectContaining({ level: 'error', generation: 2, worker: expect.any(Number) }),
  ]);
  const served = before.peers.length;
  await asked('aa-');
  expect(before.peers).toHaveLength(served + 16);
}

test('a Plan that every worker can prepare serves new sessions in all of them', async () => {
  await start();
  const old = await client();
  await echoes(old, 'aa1');
  expect(await publish(planOf(2, upstream('a', after.port)))).toEqual({ result: 'committed' });
  expect(plane.plan.generation).toBe(2);
  await asked('aa2');
  expect([before.peers.length, after.peers.length]).toEqual([1, 16]);
  await echoes(old, '1');
});

test('a module that throws in one worker only: refused in all, nobody dies, sessions live on', async () => {
  await start();
  const open = [await client(), await client(), await client(), await client()];
  for (const peer of open) await echoes(peer, 'aa');
  const published = await publish(planOfModule(2, inOneWorker(`throw new Error('not in this one')`)));
  expect(published).toMatchObject({ error: expect.stringContaining('not in this one') });
  await untouched(published);
  for (const peer of open) await echoes(peer, 'still');
  expect([plane.restarts, plane.accepting]).toEqual([0, WORKERS]);
  // The next Plan is not affected.
  expect(await publish(planOf(3, upstream('a', after.port)))).toEqual({ result: 'committed' });
  await asked('aa');
  expect(after.peers).toHaveLength(16);
});

const broken: { what: string; plan: () => Plan; error: string }[] = [
  {
    what: 'a module that is not there',
    plan: () => planOf(2, { ...upstream('a'), handler: `file://${folder.path}/none.mjs` }),
    error: 'none.mjs',
  },
  {
    what: 'a module without a handler',
    plan: () => planOfModule(2, 'export default 1'),
    error: 'must be a function',
  },
  {
    what: 'a validator that throws while it loads',
    plan: () => {
      const plan = planOf(2, upstream('a', after.port));
      const validator = 'data:text/javascript,throw new Error("broken")';
      return { ...plan, protocols: plan.protocols.map((protocol) => ({ ...protocol, validator })) };
    },
    error: 'broken',
  },
  {
    what: 'an automaton that leads out of its states',
    plan: () => {
      const plan = planOf(2, upstream('a', after.port));
      const [first, ...others] = plan.protocols as [PlanProtocol, ...PlanProtocol[]];
      const form = first.stream as PlanForm;
      const dfas = form.automaton.dfas.map((dfa) => ({
        ...dfa,
        transitions: dfa.transitions.map(() => 9999),
      }));
      const stream = { automaton: { ...form.automaton, dfas }, automatonId: UNKNOWN };
      const wrong = { ...first, signature: { startBytes: ['62'] }, stream };
      return { ...plan, protocols: [wrong, ...others] };
    },
    error: 'RangeError',
  },
  {
    what: 'a socket of a listener that the Plan has not',
    plan: () => ({ ...planOf(2, upstream('a', after.port)), listeners: [] }),
    error: 'no such listener',
  },
];

/** Of an automaton that no Plan has had. */
const UNKNOWN = 2 ** 30;

test.each(broken)('$what is a refusal, and no death', async ({ plan, error }) => {
  await start();
  const published = await publish(plan());
  expect(published).toMatchObject({ error: expect.stringContaining(error) });
  await untouched(published);
  expect([plane.restarts, plane.accepting]).toEqual([0, WORKERS]);
});

test('a module that ends its thread while it loads: refused, and the worker is back with the Plan before', async () => {
  await start();
  const published = await publish(planOfModule(2, inOneWorker('process.exit(7)')));
  expect(published).toMatchObject({ error: expect.stringContaining('it died') });
  await eventually('its replacement', () => plane.restarts === 1 && plane.accepting === WORKERS);
  await untouched(published);
});

test('a worker that is replaced has the Plan in force, whatever it began with', async () => {
  await start({ ...upstream('a'), handler: restless });
  expect(await publish(planOf(2, upstream('a', after.port)))).toEqual({ result: 'committed' });
  await publish(planOfModule(3, 'throw 1'));
  await publish(planOf(4, { ...upstream('a'), handler: restless }));
  (await client()).send('aa die');
  await eventually('its replacement', () => plane.restarts === 1 && plane.accepting === WORKERS);
  const peers = await Promise.all(Array.from({ length: 16 }, client));
  for (const peer of peers) await echoes(peer, 'aa');
  expect(plane.plan.generation).toBe(4);
});

const endless = 'await new Promise((resolve) => setTimeout(resolve, 60_000)); export default () => {};';

test('a drain does not wait for a module that loads for ever, nor a cut', async () => {
  await start();
  const published = publish(planOfModule(2, endless));
  const old = await client();
  await echoes(old, 'aa');
  const drained = plane.drain(30_000);
  expect(await published).toEqual({ result: 'called_off' });
  await echoes(old, 'still');
  old.finish();
  expect(await drained).toBe(true);
  expect(await publish(planOf(3, upstream('a', after.port)))).toEqual({ result: 'called_off' });
});

test('a cut ends sessions at once, whatever is being prepared', async () => {
  await start();
  const published = publish(planOfModule(2, endless));
  const old = await client();
  await echoes(old, 'aa');
  await plane.cut();
  expect(await published).toEqual({ result: 'called_off' });
  expect(await old.end()).toBe('reset');
  expect(lines.at(-1)).toMatchObject({ msg: 'session', reason: 'admin' });
});

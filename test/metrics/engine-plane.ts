/** A data plane of real workers on their own threads, each with a socket per listener. Needs the build. */
import { resolve } from 'node:path';
import { native } from '../../src/addon.js';
import { createHealthMemory } from '../../src/health/table.js';
import { createCounters } from '../../src/metrics/memory.js';
import { createRoom, Room, roomWords } from '../../src/metrics/room.js';
import type { FromWorker, PlanDelivery, ToWorker, WorkerSetup } from '../../src/model/message.js';
import type { Plan, PlanListener } from '../../src/model/plan.js';
import type { Reason } from '../../src/model/session.js';
import { createBuckets } from '../../src/plane/buckets.js';
import { IdRegistry } from '../../src/plane/ids.js';
import { WorkerPool } from '../../src/plane/pool.js';
import { createAffinityMemory } from '../../src/upstream/affinity.js';
import { samplesOf } from '../support/counts.js';
import type { Sample } from '../support/metrics.js';
import { listedRoutes, planned } from '../support/plan.js';
import { dial, type Peer } from '../support/tcp.js';
import { within } from '../support/wait.js';
import { endpoint, limits, upstream } from '../worker/plane.js';
import { type Driver, type OpenSession, WORKERS, type World } from './books.js';

const workers = Array.from({ length: WORKERS }, (_, worker) => worker);

/** A protocol is one byte, the first of its name. Endpoints echo. */
export class EnginePlane implements Driver {
  readonly #ids = new IdRegistry();
  readonly #buffers = Array.from({ length: WORKERS }, () => createCounters());
  readonly #room = createRoom();
  readonly #bucketMemory = createBuckets();
  readonly #health = createHealthMemory();
  readonly #beats = new SharedArrayBuffer(WORKERS * Int32Array.BYTES_PER_ELEMENT);
  readonly #pool = new WorkerPool(resolve('dist/worker/main.js'), (worker) => this.#setupOf(worker));
  readonly #deaths: Promise<unknown>[] = [];
  readonly #clients = new Map<OpenSession, Peer>();
  /** By worker and listener. */
  readonly #sockets: { readonly fd: number; readonly port: number }[][] = [];
  #plan: Plan | undefined;
  #waiting: { readonly worker: number; readonly type: FromWorker['type']; readonly resolve: () => void }[] =
    [];

  /** The first World opens the sockets; later ones have the same listeners. */
  async publish(world: World): Promise<void> {
    const isFirst = this.#plan === undefined;
    const plan = this.#planOf(world, (this.#plan?.generation ?? 0) + 1);
    this.#plan = plan;
    if (isFirst) {
      for (const worker of workers) this.#sockets[worker] = world.listeners.map(openSocket);
      await Promise.all(workers.map((worker) => this.#run(worker)));
      return;
    }
    await this.#tellAll((worker) => ({ type: 'prepare', ...this.#deliveryTo(worker) }), 'prepared');
    await this.#tellAll(() => ({ type: 'commit', generation: plan.generation }), 'adopted');
  }

  async accept(session: OpenSession): Promise<void> {
    const socket = this.#sockets[session.worker]?.[session.listener];
    this.#clients.set(session, await dial(socket?.port ?? 0));
  }

  async refuse(): Promise<void> {
    throw new Error('nothing is refused here');
  }

  async identify(session: OpenSession): Promise<void> {
    const opening = session.world.protocols[session.protocol]?.id.slice(0, 1) ?? '';
    await this.#clientOf(session).send(opening).bytes(1);
  }

  async end(session: OpenSession, wanted: Reason): Promise<Reason> {
    const client = this.#clientOf(session);
    this.#clients.delete(session);
    if (wanted === 'reset') {
      client.reset();
      return session.protocol < 0 ? 'client_gone' : 'reset';
    }
    client.finish();
    await client.end();
    return session.protocol < 0 ? 'client_gone' : 'done';
  }

  async die(worker: number): Promise<void> {
    this.#pool.kill(worker);
    await this.#deaths[worker];
    const died = [...this.#clients.keys()].filter((session) => session.worker === worker);
    await Promise.all(died.map((session) => this.#clientOf(session).end()));
    for (const session of died) this.#clients.delete(session);
    await this.#run(worker);
  }

  /** From the shared room: open connections, and sessions connected or connecting to endpoints. */
  inUse(): { open: number; onEndpoints: number } {
    const room = new Room(this.#room);
    const onEndpoints = room.words.subarray(roomWords.endpoints).reduce((sum, sessions) => sum + sessions, 0);
    return { open: room.open, onEndpoints };
  }

  samples(): Sample[] {
    return samplesOf(this.#buffers, this.#ids);
  }

  async close(): Promise<void> {
    await this.#pool.terminate();
    for (const client of this.#clients.values()) client.socket.destroy();
    for (const { fd } of this.#sockets.flat()) native.closeFd(fd);
  }

  #planOf({ listeners, protocols, upstreams }: World, generation: number): Plan {
    const parts = {
      listeners: listeners.map(({ name }): PlanListener => {
        const accepted = [...protocols.keys()];
        const onUnknown = { kind: 'end', closing: 'close' } as const;
        return {
          name,
          address: '',
          transport: 'tcp',
          kcp: null,
          protocols: accepted,
          datagramProtocols: [],
          onUnknown,
          onSilence: null,
          proxyProtocol: null,
          maxConnections: 0,
        };
      }),
      protocols: protocols.map(({ id }) =>
        planned({ name: id, id, signature: { startBytes: [Buffer.from(id.slice(0, 1)).toString('hex')] } }),
      ),
      upstreams: upstreams.map(({ name, endpoints }) => ({
        ...upstream(name),
        endpoints: endpoints.map((each) => endpoint(Number(each.name.split(':')[1]))),
      })),
    };
    const routes = listedRoutes(
      protocols.map((_, protocol) => ({
        when: { protocol },
        to: { kind: 'upstream', upstream: protocol % upstreams.length },
      })),
    );
    const accessLog = { enabled: false, rate: 1 };
    return {
      generation,
      limits,
      ...parts,
      kcp: [],
      connectProxy: null,
      routes,
      ids: this.#ids.of(parts),
      accessLog,
    };
  }

  #deliveryTo(worker: number): PlanDelivery {
    const sockets = this.#sockets[worker] ?? [];
    return {
      plan: this.#plan as Plan,
      sockets: sockets.map(({ fd }, listener) => ({
        transport: 'tcp',
        socket: native.socketNumber(fd),
        listener,
        fd,
      })),
      settings: { logLevel: 'info', workers: WORKERS, own: [] },
    };
  }

  #setupOf(worker: number): Omit<WorkerSetup, 'port'> {
    return {
      worker,
      ...this.#deliveryTo(worker),
      inbox: -1,
      counters: this.#buffers[worker] as SharedArrayBuffer,
      room: this.#room,
      buckets: this.#bucketMemory,
      health: this.#health,
      affinity: createAffinityMemory(),
      beats: this.#beats,
      beatMs: 1000,
      pipes: 64,
    };
  }

  async #run(worker: number): Promise<void> {
    const ready = this.#hears(worker, 'ready');
    const died = this.#pool.run(worker, (message) => this.#heard(worker, message));
    this.#deaths[worker] = died.catch(() => {});
    await Promise.race([ready, died]);
  }

  async #tellAll(message: (worker: number) => ToWorker, answer: FromWorker['type']): Promise<void> {
    const answers = workers.map((worker) => this.#hears(worker, answer));
    for (const worker of workers) this.#pool.post(worker, message(worker));
    await within(`workers to be ${answer}`, Promise.all(answers));
  }

  #hears(worker: number, type: FromWorker['type']): Promise<void> {
    return new Promise((resolve) => this.#waiting.push({ worker, type, resolve }));
  }

  #heard(worker: number, { type }: FromWorker): void {
    const isMet = (each: { worker: number; type: string }) => each.worker === worker && each.type === type;
    for (const { resolve } of this.#waiting.filter(isMet)) resolve();
    this.#waiting = this.#waiting.filter((each) => !isMet(each));
  }

  #clientOf(session: OpenSession): Peer {
    const client = this.#clients.get(session);
    if (client === undefined) throw new Error('a session without a client');
    return client;
  }
}

function openSocket() {
  const fd = native.listen({ host: '127.0.0.1', port: 0 }, { reusePort: false, backlog: 128 });
  const address = native.localAddress(fd);
  return { fd, port: 'port' in address ? address.port : 0 };
}

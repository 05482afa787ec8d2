/** A built data plane with real worker threads, whose listeners, workers and accept mode the test changes. */
import { native } from '../../src/addon.js';
import { createLogger } from '../../src/base/log.js';
import type { Config } from '../../src/model/config.js';
import type { Plan, PlanListener, PlanUpstream } from '../../src/model/plan.js';
import type { AcceptMode, PlaneChange } from '../../src/plane/change.js';
import type { DataPlane } from '../../src/plane/data-plane.js';
import type { Published } from '../../src/plane/publication.js';
import { type Listening, listenWith } from '../../src/primary/listening.js';
import { ListeningSockets } from '../../src/primary/sockets.js';
import { samplesOf } from '../support/counts.js';
import { collectsInto } from '../support/lines.js';
import { total } from '../support/metrics.js';
import { freePort } from '../support/ports.js';
import { dial, type Peer } from '../support/tcp.js';
import { ids, planFor, withIds } from '../worker/plane.js';

const dist = new URL('../../dist/plane/data-plane.js', import.meta.url).href;
const { DataPlane: Built } = (await import(dist)) as { DataPlane: typeof DataPlane };

/** What is to be in force; everything that begins with `aa` goes to the upstream. */
export interface Wanted {
  readonly listeners: readonly string[];
  readonly workers: number;
  readonly accept: AcceptMode;
  readonly upstream: PlanUpstream;
  readonly logLevel: string;
  readonly accessLog: Plan['accessLog'];
}

export class Stage {
  readonly lines: Record<string, unknown>[] = [];
  readonly plane: DataPlane;
  #wanted: Wanted;
  #generation = 1;
  readonly #listening: Listening;
  /** By listener. */
  readonly #ports: Map<string, number>;

  private constructor(wanted: Wanted, listening: Listening, ports: Map<string, number>) {
    this.#wanted = wanted;
    this.#listening = listening;
    this.#ports = ports;
    const write = collectsInto(this.lines);
    const options = { log: createLogger({ level: 'info', write }), write };
    this.plane = new Built(this.#changeTo(wanted), options);
  }

  static async open(wanted: Wanted): Promise<Stage> {
    const ports = new Map<string, number>();
    const config = await configOf(wanted, ports);
    const places = { tcp: wanted.accept === 'handoff' ? 1 : wanted.workers, udp: wanted.workers };
    const sockets = await ListeningSockets.open(config.listeners, { places }, native);
    const release = (numbers: readonly number[]) => stage.plane.release(numbers);
    const log = createLogger({ level: 'silent', write() {} });
    const stage: Stage = new Stage(wanted, listenWith(sockets, { release }, log), ports);
    await stage.plane.start();
    return stage;
  }

  /** Puts something else into force, as the daemon does. */
  async change(change: Partial<Wanted>): Promise<Published> {
    const wanted = { ...this.#wanted, ...change };
    const prepared = await this.#listening.prepare(await configOf(wanted, this.#ports));
    this.#generation += 1;
    const published = await this.plane.change(this.#changeTo(wanted));
    if (published.result === 'committed') {
      this.#wanted = wanted;
      prepared.commit();
    } else {
      prepared.discard();
    }
    return published;
  }

  client(listener = this.#wanted.listeners[0] ?? ''): Promise<Peer> {
    return dial(this.#ports.get(listener) ?? 0);
  }

  clients(count: number, listener?: string): Promise<Peer[]> {
    return Promise.all(Array.from({ length: count }, () => this.client(listener)));
  }

  metric(name: string, labels?: Record<string, string>): number {
    return total(samplesOf(this.plane.buffers, ids), name, labels);
  }

  linesOf(msg: string): Record<string, unknown>[] {
    return this.lines.filter((line) => line.msg === msg);
  }

  async close(): Promise<void> {
    await this.plane.close();
    this.#listening.close();
  }

  #changeTo({ listeners, workers, accept, upstream, logLevel, accessLog }: Wanted): PlaneChange {
    const [front] = planFor([]).listeners as [PlanListener];
    const generation = this.#generation;
    const named = listeners.map((name) => ({ ...front, name }));
    const plan = withIds(planFor([upstream], { generation, listeners: named, accessLog }));
    const fixed = { own: () => [], pipes: 16, acceptsPerTurn: 64 };
    return { plan, sockets: this.#listening.next, workers, accept, logLevel, ...fixed };
  }
}

/** The part of a configuration that sockets follow. */
async function configOf({ listeners, workers, accept }: Wanted, ports: Map<string, number>): Promise<Config> {
  const each = listeners.map(async (name) => {
    const port = ports.get(name) ?? (await freePort());
    ports.set(name, port);
    const address = { kind: 'inet', host: '127.0.0.1', port, text: `127.0.0.1:${port}` } as const;
    return { name, address, transport: 'tcp' };
  });
  const udp = { receiveBufferBytes: 0 };
  return { server: { workers, accept, udp }, listeners: await Promise.all(each) } as unknown as Config;
}

/** Sends, and waits for the echo. */
export async function echoes(peer: Peer, text: string): Promise<void> {
  const had = peer.length;
  peer.send(text);
  const got = (await peer.bytes(had + text.length)).subarray(had).toString();
  if (got !== text) throw new Error(`not echoed: ${got}`);
}

/** Short sessions one after the other, until told to stop; each must be echoed and end well. */
export class Load {
  failed: string[] = [];
  served = 0;
  #stopped = false as boolean;
  readonly #done: Promise<unknown>;

  constructor(stage: Stage, lanes = 4) {
    const lane = async () => {
      while (!this.#stopped) await this.#session(stage);
    };
    this.#done = Promise.all(Array.from({ length: lanes }, lane));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
  }

  async #session(stage: Stage): Promise<void> {
    try {
      const peer = await stage.client();
      await echoes(peer, 'aa');
      peer.finish();
      const ending = await peer.end();
      if (ending === 'reset') throw new Error('reset');
      this.served += 1;
    } catch (error) {
      this.failed.push(String(error));
    }
  }
}

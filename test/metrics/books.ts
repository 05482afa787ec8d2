/**
 * Scenarios for a data plane as data, with the expected counts by name, computed independently of the code under
 * test. A driver runs the steps: a model or a real engine.
 */
import fc from 'fast-check';
import type { Named } from '../../src/model/ids.js';
import { type Reason, reasons } from '../../src/model/session.js';
import { type Sample, total } from '../support/metrics.js';

export interface World extends Named {
  readonly listeners: readonly { readonly name: string }[];
}

/** Indices into the current World, modulo its size. */
export type Step =
  | { readonly kind: 'publish'; readonly world: World }
  | { readonly kind: 'accept' | 'refuse'; readonly worker: number; readonly listener: number }
  | { readonly kind: 'identify'; readonly session: number; readonly protocol: number }
  | { readonly kind: 'end'; readonly session: number; readonly reason: Reason }
  | { readonly kind: 'die'; readonly worker: number };

export interface OpenSession {
  readonly worker: number;
  readonly world: World;
  /** Indices into its World; -1: not identified. */
  readonly listener: number;
  protocol: number;
}

export interface Driver {
  publish(world: World): Promise<void>;
  accept(session: OpenSession): Promise<void>;
  refuse(session: OpenSession): Promise<void>;
  /** `session.protocol` is set. */
  identify(session: OpenSession): Promise<void>;
  end(session: OpenSession, reason: Reason): Promise<void>;
  /** The worker dies and is replaced; its sessions end. */
  die(worker: number): Promise<void>;
  samples(): Sample[];
}

export const WORKERS = 2;

export class Books {
  readonly #driver: Driver;
  #world: World = { listeners: [], protocols: [], upstreams: [] };
  #open: OpenSession[] = [];
  readonly #accepted = new Map<string, number>();
  /** By listener, protocol and reason. */
  readonly #ended = new Map<string, number>();

  constructor(driver: Driver) {
    this.#driver = driver;
  }

  take(step: Step): Promise<void> {
    switch (step.kind) {
      case 'publish':
        this.#world = step.world;
        return this.#driver.publish(step.world);
      case 'accept':
        return this.#accept(step.worker, step.listener);
      case 'refuse':
        return this.#refuse(step.worker, step.listener);
      case 'identify':
        return this.#identify(step.session, step.protocol);
      case 'end':
        return this.#end(step.session, step.reason);
      case 'die':
        return this.#die(step.worker);
    }
  }

  /** The expected scrape: every non-zero series. */
  expected(): Record<string, number> {
    const active = new Map<string, number>();
    for (const session of this.#open) add(active, `${listenerOf(session)}/${protocolOf(session)}/active`);
    return Object.fromEntries([...this.#accepted, ...this.#ended, ...active]);
  }

  /** The actual scrape in the same form. */
  actual(): Record<string, number> {
    const entries = this.#driver.samples().flatMap(({ name, labels, value }): [string, number][] => {
      const { listener, protocol, reason } = labels;
      if (value === 0) return [];
      if (name === 'anyport_accepted_total') return [[`${listener}`, value]];
      if (name === 'anyport_sessions_total') return [[`${listener}/${protocol}/${reason}`, value]];
      if (name === 'anyport_sessions_active') return [[`${listener}/${protocol}/active`, value]];
      return [];
    });
    return Object.fromEntries(entries);
  }

  async #accept(worker: number, listener: number): Promise<void> {
    const session = this.#arrived(worker, listener);
    this.#open.push(session);
    await this.#driver.accept(session);
  }

  async #refuse(worker: number, listener: number): Promise<void> {
    const session = this.#arrived(worker, listener);
    this.#noteEnd(session, 'over_limit');
    await this.#driver.refuse(session);
  }

  #arrived(worker: number, at: number): OpenSession {
    const listener = at % this.#world.listeners.length;
    const session = { worker, world: this.#world, listener, protocol: -1 };
    add(this.#accepted, listenerOf(session));
    return session;
  }

  async #identify(index: number, protocol: number): Promise<void> {
    const session = this.#open[index % this.#open.length];
    if (session === undefined || session.protocol >= 0) return;
    session.protocol = protocol % session.world.protocols.length;
    await this.#driver.identify(session);
  }

  async #end(index: number, reason: Reason): Promise<void> {
    const [session] = this.#open.splice(index % Math.max(this.#open.length, 1), 1);
    if (session === undefined) return;
    this.#noteEnd(session, reason);
    await this.#driver.end(session, reason);
  }

  async #die(worker: number): Promise<void> {
    const isOver = (session: OpenSession) => session.worker === worker;
    for (const session of this.#open.filter(isOver)) this.#noteEnd(session, 'reset');
    this.#open = this.#open.filter((session) => !isOver(session));
    await this.#driver.die(worker);
  }

  #noteEnd(session: OpenSession, reason: Reason): void {
    add(this.#ended, `${listenerOf(session)}/${protocolOf(session)}/${reason}`);
  }
}

/** Listeners whose accepted connections differ from ended plus open ones. */
export function unbalanced(samples: readonly Sample[]): string[] {
  const listeners = new Set(samples.flatMap(({ labels }) => labels.listener ?? []));
  return [...listeners].filter((listener) => {
    const count = (name: string) => total(samples, name, { listener });
    return (
      count('anyport_accepted_total') !== count('anyport_sessions_total') + count('anyport_sessions_active')
    );
  });
}

const add = (counts: Map<string, number>, key: string) => counts.set(key, (counts.get(key) ?? 0) + 1);

const listenerOf = ({ world, listener }: OpenSession): string => world.listeners[listener]?.name ?? '';

const protocolOf = ({ world, protocol }: OpenSession): string => world.protocols[protocol]?.id ?? '';

/** A non-empty subset of the names in any order: names disappear and come back. */
const some = (names: readonly string[]) => fc.shuffledSubarray([...names], { minLength: 1 });

export const worlds: fc.Arbitrary<World> = fc
  .tuple(some(['front', 'back', 'side']), some(['http', 'tls', 'ssh']), some(['web', 'mail']))
  .map(([listeners, protocols, upstreams]) => ({
    listeners: listeners.map((name) => ({ name })),
    protocols: protocols.map((id) => ({ id })),
    upstreams: upstreams.map((name) => ({ name, endpoints: [{ name: '10.0.0.1:80' }] })),
  }));

const worker = fc.nat(WORKERS - 1);
const index = fc.nat(30);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('accept' as const), worker, listener: index }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('refuse' as const), worker, listener: index }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('identify' as const), session: index, protocol: index }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('end' as const),
      session: index,
      reason: fc.constantFrom(...reasons),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('die' as const), worker }) },
  { weight: 1, arbitrary: worlds.map((world) => ({ kind: 'publish' as const, world })) },
);

/** Begins with a World. */
export const histories: fc.Arbitrary<Step[]> = fc
  .tuple(worlds, fc.array(step, { maxLength: 80 }))
  .map(([world, steps]) => [{ kind: 'publish', world }, ...steps]);

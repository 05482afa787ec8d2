/**
 * Scenarios for a data plane as data, with the expected counts by name, computed independently of the code under
 * test. A driver runs the steps: a model or a real engine.
 */
import fc from 'fast-check';
import type { Named } from '../../src/model/ids.js';
import { type Reason, reasons } from '../../src/model/session.js';
import { type Sample, total } from '../support/metrics.js';

/** Every upstream has one endpoint. */
export type World = Named;

/** Indices are taken modulo the size of what they point into. */
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
  /** Connected as soon as the protocol is known. */
  upstream: number;
}

export interface Driver {
  publish(world: World): Promise<void>;
  accept(session: OpenSession): Promise<void>;
  refuse(session: OpenSession): Promise<void>;
  /** `session.protocol` and `session.upstream` are set. */
  identify(session: OpenSession): Promise<void>;
  /** Resolves with the actual reason, if the driver can not produce the requested one. */
  end(session: OpenSession, reason: Reason): Promise<Reason>;
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
  /** By upstream. */
  readonly #connected = new Map<string, number>();

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
    for (const session of this.#open) {
      add(active, `${listenerOf(session)}/${protocolOf(session)}/active`);
      if (session.upstream >= 0) add(active, `${endpointOf(session)}/sessions`);
    }
    return Object.fromEntries([...this.#accepted, ...this.#ended, ...this.#connected, ...active]);
  }

  /** Open connections, and how many of them are on endpoints. */
  inUse(): { open: number; onEndpoints: number } {
    const onEndpoints = this.#open.filter(({ upstream }) => upstream >= 0).length;
    return { open: this.#open.length, onEndpoints };
  }

  /** The actual scrape in the same form. */
  actual(): Record<string, number> {
    const entries = this.#driver.samples().flatMap(({ name, labels, value }): [string, number][] => {
      const { listener, protocol, reason, upstream, endpoint } = labels;
      if (value === 0) return [];
      if (name === 'anyport_accepted_total') return [[`${listener}`, value]];
      if (name === 'anyport_sessions_total') return [[`${listener}/${protocol}/${reason}`, value]];
      if (name === 'anyport_sessions_active') return [[`${listener}/${protocol}/active`, value]];
      if (name === 'anyport_connect_seconds_count') return [[`${upstream}/connected`, value]];
      if (name === 'anyport_endpoint_sessions') return [[`${upstream}/${endpoint}/sessions`, value]];
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
    const session = { worker, world: this.#world, listener, protocol: -1, upstream: -1 };
    add(this.#accepted, listenerOf(session));
    return session;
  }

  async #identify(index: number, protocol: number): Promise<void> {
    const session = this.#open[index % this.#open.length];
    if (session === undefined || session.protocol >= 0) return;
    session.protocol = protocol % session.world.protocols.length;
    session.upstream = session.protocol % session.world.upstreams.length;
    add(this.#connected, `${upstreamOf(session)}/connected`);
    await this.#driver.identify(session);
  }

  async #end(index: number, reason: Reason): Promise<void> {
    const [session] = this.#open.splice(index % Math.max(this.#open.length, 1), 1);
    if (session === undefined) return;
    this.#noteEnd(session, await this.#driver.end(session, reason));
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

const upstreamOf = ({ world, upstream }: OpenSession): string => world.upstreams[upstream]?.name ?? '';

const endpointOf = (session: OpenSession): string =>
  `${upstreamOf(session)}/${session.world.upstreams[session.upstream]?.endpoints[0]?.name}`;

const protocolOf = ({ world, protocol }: OpenSession): string => world.protocols[protocol]?.id ?? '';

/** A non-empty subset in any order: names disappear and come back. */
const some = <T>(all: readonly T[]) => fc.shuffledSubarray([...all], { minLength: 1 });

/** Worlds with subsets of these names. */
export function worldsOf({ listeners, protocols, upstreams }: Named): fc.Arbitrary<World> {
  return fc.record({ listeners: some(listeners), protocols: some(protocols), upstreams: some(upstreams) });
}

const worker = fc.nat(WORKERS - 1);
const index = fc.nat(30);

const steps = {
  accept: fc.record({ kind: fc.constant('accept' as const), worker, listener: index }),
  refuse: fc.record({ kind: fc.constant('refuse' as const), worker, listener: index }),
  identify: fc.record({ kind: fc.constant('identify' as const), session: index, protocol: index }),
  end: fc.record({
    kind: fc.constant('end' as const),
    session: index,
    reason: fc.constantFrom(...reasons),
  }),
  die: fc.record({ kind: fc.constant('die' as const), worker }),
};

/** Steps of these kinds with relative frequencies; starts with a World. */
export function histories(
  worlds: fc.Arbitrary<World>,
  weights: Readonly<Partial<Record<keyof typeof steps, number>>>,
  maxLength: number,
): fc.Arbitrary<Step[]> {
  const publish = worlds.map((world): Step => ({ kind: 'publish', world }));
  const chosen = Object.entries(weights).map(([kind, weight]) => ({
    weight,
    arbitrary: steps[kind as keyof typeof steps] as fc.Arbitrary<Step>,
  }));
  const step = fc.oneof({ weight: 1, arbitrary: publish }, ...chosen);
  return fc
    .tuple(publish, fc.array(step, { maxLength, size: 'max' }))
    .map(([first, rest]) => [first, ...rest]);
}

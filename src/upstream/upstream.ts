/**
 * Run-time state of one upstream under one Plan: picks the next endpoint of a session. Who may be picked, and with what
 * share, is derived from the Plan and the health table, and again when that has changed: a pick scans nothing.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Facts } from '../model/facts.js';
import type { PlanUpstream } from '../model/plan.js';
import type { AffinityTable } from './affinity.js';
import { type StrategyName, strategies } from './balance/index.js';
import { hashText } from './hash.js';
import { type Client, factOf, type KeyName, keyOf } from './key.js';
import { factsKnownBy } from './known-by.js';
import type { Loads } from './loads.js';
import { type Fitness, Sticky } from './sticky.js';
import type { Balancer, Field, Strategy } from './strategy.js';

/** A session that wants an endpoint. */
export interface Seeker extends Client {
  /** Endpoints that were unreachable. */
  readonly tried: ReadonlySet<number> | undefined;
  /** The last one of them whose backlog was full, and which is well; -1: none. */
  readonly full: number;
}

/** Who is well (src/health/table.ts), by endpoint id. */
export interface Health {
  /** Another number after every change. */
  readonly changes: number;
  isUp(endpoint: number): boolean;
  /** Part of its weight that counts now, 0..256. */
  share(endpoint: number): number;
}

/** What all upstreams of a worker share. */
export interface Around {
  /** A number in [0, 1). */
  readonly random: () => number;
  readonly loads: Loads;
  readonly health: Health;
  readonly affinity: AffinityTable;
  /** Monotonic, the same in all threads. */
  readonly nowMs: () => number;
  /** Counts a look-up of affinity. */
  readonly lookedUp: (found: boolean) => void;
}

/** Of a Plan. */
export interface PlannedUpstream {
  readonly plan: PlanUpstream;
  /** Id of the upstream, and by index those of its endpoints. */
  readonly id: number;
  readonly ids: readonly number[];
  /** How long affinity lasts. */
  readonly affinityMs: number;
}

/** Endpoints that are balanced together: the main ones, or the backups. */
interface Group {
  readonly isBackup: boolean;
  readonly balancer: Balancer;
  /** By endpoint of the upstream; 0 outside of the group. */
  readonly weights: Float64Array;
  isNew: boolean;
}

const NONE_TRIED: ReadonlySet<number> = new Set();

export class Upstream {
  /** Facts that clients are known by. */
  readonly #facts: readonly string[];
  readonly #plan: PlanUpstream;
  readonly #ids: readonly number[];
  readonly #affinityMs: number;
  readonly #around: Around;
  readonly #strategy: Strategy;
  readonly #hashFact: string | null;
  readonly #sticky: Sticky<Seeker> | null;
  /** The main ones first; none before the first pick. */
  #groups: readonly Group[] = [];
  /** `Health.changes` when the weights were derived. */
  #changes = Number.NaN;
  /** Of the Plan before. It is in use until the first pick here, which goes on where it stands. */
  #before: Upstream | undefined;
  /** Of the session in hand. */
  #tried = NONE_TRIED;

  constructor({ plan, id, ids, affinityMs }: PlannedUpstream, around: Around, before?: Upstream) {
    const { balance, hash_key, affinity } = plan.options;
    this.#plan = plan;
    this.#ids = ids;
    this.#affinityMs = affinityMs;
    this.#around = around;
    this.#strategy = strategies[balance as StrategyName];
    this.#hashFact = factOf(hash_key as KeyName);
    const fact = affinity === 'off' ? null : factOf(affinity as KeyName);
    const options = { ...around, table: around.affinity, id, ids, fact, lastsMs: affinityMs };
    this.#sticky = affinity === 'off' ? null : new Sticky(options, this.#forAffinity());
    this.#facts = factsKnownBy(plan.options);
    if (before !== undefined) before.#leaveOutUnused();
    this.#before = before;
  }

  /** Whether it is just what would be made of this: a Plan may have the very upstream of the one before. */
  isOf({ plan, ids, affinityMs }: PlannedUpstream): boolean {
    return plan === this.#plan && affinityMs === this.#affinityMs && isDeepStrictEqual(ids, this.#ids);
  }

  /** Clients are known by facts. */
  get readsFacts(): boolean {
    return this.#facts.length > 0;
  }

  /** Whether one of them is not there yet. */
  awaits(facts: Facts): boolean {
    return this.#facts.some((fact) => facts[fact] === undefined);
  }

  /** An endpoint that is resolved and up, that the session has not tried and that is not full; -1: there is none. */
  pick(seeker: Seeker): number {
    this.#refresh();
    this.#tried = seeker.tried ?? NONE_TRIED;
    const picked = this.#sticky?.pick(seeker, this.#tried.size > 0) ?? this.#balance(seeker);
    if (picked >= 0) this.#around.loads.picked(this.#ids[picked] as number);
    return picked;
  }

  /** After a pick that found none: whether that is because an endpoint has all the sessions that it may have. */
  isFull(tried: ReadonlySet<number> = NONE_TRIED): boolean {
    return this.#groups.some(({ weights }) =>
      weights.some((weight, endpoint) => weight > 0 && !tried.has(endpoint) && this.#isFull(endpoint)),
    );
  }

  #balance(seeker: Seeker): number {
    const hash = this.#strategy.hashes ? hashText(keyOf(seeker, this.#hashFact)) : 0;
    for (const { balancer } of this.#groups) {
      const picked = balancer.pick(hash);
      if (picked >= 0) return picked;
    }
    return -1;
  }

  // ---- who may be picked

  #refresh(): void {
    const { changes } = this.#around.health;
    if (changes === this.#changes) return;
    if (this.#groups.length === 0) this.#begin();
    this.#changes = changes;
    for (const group of this.#groups) {
      if (this.#weigh(group) || group.isNew) group.balancer.weigh(group.weights);
      group.isNew = false;
    }
  }

  #begin(): void {
    const { endpoints } = this.#plan;
    this.#leaveOutUnused();
    const before = this.#before;
    const known = before !== undefined && before.#strategy === this.#strategy ? before.#groups : [];
    const field: Field = {
      names: endpoints.map(({ name }) => name),
      random: this.#around.random,
      sessions: (endpoint) => this.#around.loads.sessions(this.#ids[endpoint] as number),
      passesOver: (endpoint) => this.#tried.has(endpoint) || this.#isFull(endpoint),
    };
    const kinds = [false, true].filter((isBackup) => endpoints.some(({ backup }) => backup === isBackup));
    this.#groups = kinds.map((isBackup) => ({
      isBackup,
      balancer: this.#strategy.create(field, known.find((group) => group.isBackup === isBackup)?.balancer),
      weights: new Float64Array(endpoints.length),
      isNew: true,
    }));
    if (before !== undefined) before.#forget();
    this.#before = undefined;
  }

  /** Of the Plans before, those that had no session: a chain of them would grow with every change. */
  #leaveOutUnused(): void {
    while (this.#before !== undefined && this.#before.#groups.length === 0)
      this.#before = this.#before.#before;
  }

  /** Its Plan is replaced: what it has is taken over, and made again should one of its sessions need it. */
  #forget(): void {
    this.#groups = [];
    this.#changes = Number.NaN;
  }

  /** Whether any weight has changed. */
  #weigh({ isBackup, weights }: Group): boolean {
    let hasChanged = false;
    for (let endpoint = 0; endpoint < weights.length; endpoint++) {
      const weight = this.#weightOf(endpoint, isBackup);
      if (weight === weights[endpoint]) continue;
      weights[endpoint] = weight;
      hasChanged = true;
    }
    return hasChanged;
  }

  #weightOf(endpoint: number, isBackup: boolean): number {
    const planned = this.#plan.endpoints[endpoint];
    if (planned?.backup !== isBackup || !takesSessions(planned) || !this.#isReachable(endpoint)) return 0;
    const share = this.#around.health.share(this.#ids[endpoint] as number);
    return (this.#strategy.weighs ? planned.weight : 1) * share;
  }

  #isReachable(endpoint: number): boolean {
    const { health } = this.#around;
    const isResolved = (this.#plan.endpoints[endpoint]?.addresses.length ?? 0) > 0;
    return isResolved && health.isUp(this.#ids[endpoint] as number);
  }

  #isFull(endpoint: number): boolean {
    const { max_connections } = this.#plan.options;
    return (
      max_connections > 0 && this.#around.loads.sessions(this.#ids[endpoint] as number) >= max_connections
    );
  }

  // ---- affinity

  #forAffinity() {
    return {
      fitnessOf: (endpoint: number, seeker: Seeker) => this.#fitnessOf(endpoint, seeker),
      balance: (seeker: Seeker) => this.#balance(seeker),
      isBackup: (endpoint: number) => this.#plan.endpoints[endpoint]?.backup === true,
    };
  }

  #fitnessOf(endpoint: number, { tried, full }: Seeker): Fitness {
    const planned = this.#plan.endpoints[endpoint];
    if (planned === undefined || planned.backup || !takesSessions(planned)) return 'out';
    if (tried?.has(endpoint)) return endpoint === full ? 'full' : 'out';
    const share = this.#around.health.share(this.#ids[endpoint] as number);
    if (share === 0 || !this.#isReachable(endpoint)) return 'down';
    return this.#isFull(endpoint) ? 'full' : 'well';
  }
}

/** By the configuration and the operator. */
export const takesSessions = ({ state, weight }: PlanUpstream['endpoints'][number]): boolean =>
  state === 'up' && weight > 0;

/** All that is known of one endpoint's health, and what follows from it together. */
import type { AskedState, HealthStatus, LastCheck } from '../model/health-status.js';
import type { PlanEndpoint } from '../model/plan.js';
import type { UpstreamOptions } from '../model/upstream-options.js';
import { NOBODY, type Tally, type Verdict } from '../model/verdicts.js';
import { type Ejection, neverEjected } from './ejection.js';
import { type Health, isDown, isUsable } from './machine.js';
import { WHOLE_SHARE } from './table.js';
import { votersOf } from './votes.js';

export interface EndpointNames {
  readonly upstream: string;
  readonly upstreamId: number;
  /** Of the endpoint, as configured. */
  readonly name: string;
}

export class Endpoint {
  readonly id: number;
  readonly upstream: string;
  readonly upstreamId: number;
  readonly name: string;
  /** By checks. */
  health: Health;
  /** By sessions. */
  ejection: Ejection = neverEjected;
  /** Date and time of its return. */
  ejectedUntil: Date | null = null;
  /** Cancels its return. */
  cancelReturn = () => {};
  /** So far. */
  ejections = 0;
  /** In force; absent before the first Plan. */
  plan: PlanEndpoint | undefined;
  options: UpstreamOptions | undefined;
  last: LastCheck | null = null;
  /** What other nodes of the cluster say. */
  others: Tally = NOBODY;
  /** They take it down. */
  isOutvoted = false as boolean;
  /** Part of its weight that counts while it starts slowly, 0..256. */
  slowShare = WHOLE_SHARE;
  /** Answers of checks so far. */
  ok = 0;
  failed = 0;
  /** When it went down or came up. */
  changedAt: Date | null = null;
  /** What was told last. */
  toldAsked: AskedState = 'ready';
  wasUsable = true;

  constructor(id: number, { upstream, upstreamId, name }: EndpointNames, health: Health) {
    this.id = id;
    this.upstream = upstream;
    this.upstreamId = upstreamId;
    this.name = name;
    this.health = health;
  }

  /** Checks have taken it down. */
  get isDown(): boolean {
    return isDown(this.health);
  }

  /** New sessions may go there, as far as health goes. */
  get isUsable(): boolean {
    return isUsable(this.health) && !this.isEjected && !this.isOutvoted;
  }

  /** Null: it has no check, or was not asked yet. */
  get verdict(): Verdict | null {
    if (this.options?.health_check === undefined || this.health.isNew) return null;
    return this.isDown ? 'down' : 'up';
  }

  get isEjected(): boolean {
    return this.ejection.untilMs !== null;
  }

  /** New sessions go there. */
  get takesSessions(): boolean {
    return !this.isOutvoted && this.wouldTakeSessions;
  }

  /** They would as far as this node knows by itself. */
  get wouldTakeSessions(): boolean {
    return !this.isEjected && this.mightTakeSessions;
  }

  /** They would if it were not ejected. */
  get mightTakeSessions(): boolean {
    return (
      isUsable(this.health) &&
      this.plan?.state === 'up' &&
      this.plan.weight > 0 &&
      this.plan.addresses.length > 0
    );
  }

  /** 0..256; a small share that starts slowly is not none. */
  get share(): number {
    const { share } = this.health;
    return share === 0 ? 0 : Math.max(1, Math.round((share * this.slowShare) / WHOLE_SHARE));
  }

  /** Null: it is up. */
  get why(): string | null {
    const { up, asked, why } = this.health;
    if (!up) return why;
    if (asked === 'maint') return 'it asks for maintenance';
    if (this.isOutvoted) return this.#votesAgainst;
    return this.isEjected ? 'its sessions failed too often' : null;
  }

  get #votesAgainst(): string {
    return `${this.others.down} of ${votersOf(this.verdict, this.others)} nodes say that it is down`;
  }

  get status(): HealthStatus {
    const { why } = this;
    const check = this.options?.health_check;
    return {
      up: why === null,
      why,
      since: this.changedAt,
      check: check?.type ?? null,
      lastCheck: this.last,
      ejectedUntil: this.ejectedUntil,
      asks: this.health.asked,
      share: this.share,
    };
  }
}

/**
 * Bans as operators see them: listed, made, lifted, logged, exported. The bans themselves are in the engine
 * (native/admission/sources.h), where the guard makes them; here they are looked at once a second. What an operator asks is
 * answered from the one ban it is about: there may be tens of thousands.
 */
import type { Admission, BannedSource, Prefixes } from '../../addon.js';
import type { Clock } from '../../base/clock.js';
import { formatDuration, parseDuration } from '../../base/duration.js';
import { type Logger, rateLimited } from '../../base/log.js';
import {
  type Ban,
  type BanCause,
  type BanList,
  type BanRequest,
  type BanResult,
  banLimits,
  type LiftResult,
} from '../../model/ban.js';
import type { BanNote, OwnBans } from '../../model/ban-note.js';
import type { Config } from '../../model/config.js';
import type { Part, Prepared } from '../part.js';
import { BanExport } from './export.js';
import { LearnedBans } from './learned.js';
import { addressOfShown, banSource, shownOfEngine, shownSource } from './source.js';

export const banWatchLimits = {
  /** Between two looks, at least. */
  lookMs: 1000,
  /** A look at many bans takes at most this part of the time, unless it is longer than looks may wait. */
  shareMax: 0.05,
  /** A process that was held up meanwhile has not looked for so long. */
  lookMsMax: 20_000,
  /** Log lines of each kind. */
  linesPerSecond: 10,
} as const;

const FOR_DEFAULT = '10m';

export interface BansParts {
  readonly admission: Pick<Admission, 'bans' | 'banOf' | 'ban' | 'lift' | 'counts'>;
  /** Sources that are never banned; another object when they have changed. Null: none. */
  readonly trusted: () => Pick<Prefixes, 'contains'> | null;
  readonly clock: Clock;
  /** Since the epoch. */
  readonly nowMs: () => number;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
}

/** As it was seen last. */
interface Seen {
  /** Since the epoch. */
  readonly until: number;
  /** The same by the clock, which nobody sets. */
  readonly untilMs: number;
  readonly cause: BanCause;
}

export class Bans implements Part {
  readonly #parts: BansParts;
  readonly #learned: LearnedBans;
  readonly #export: BanExport;
  readonly #began: (fields: object) => void;
  readonly #ended: (fields: object) => void;
  /** By address as shown. */
  #known = new Map<string, Seen>();
  /** Of changes of bans that this node has made. */
  #version = 0;
  /** Of two processes of an upgrade only the one that has the sockets exports. */
  #isExporting = false as boolean;
  /** An operator has changed them since they were exported. */
  #isBehind = false as boolean;
  /** Of those that an operator has made, or another node. */
  readonly #reasons = new Map<string, string>();
  #counted = '';
  /** Whom the exported file leaves out. */
  #leftOut: object | null = null;
  #cancelLook: () => void = () => {};

  constructor(parts: BansParts) {
    const { log, clock, admission, trusted } = parts;
    this.#parts = parts;
    const banned = (address: string, node: string) =>
      void this.#reasons.set(shownSource(address), `node ${node}`);
    this.#learned = new LearnedBans({ admission, trusted, clock, banned });
    this.#export = new BanExport((path, error) => {
      if (error !== null) log.error({ file: path, error }, 'the bans can not be exported');
      else log.info({ file: path }, 'the bans are exported again');
    });
    const limited = (write: (fields: object, message: string) => void, message: string) => {
      const line = rateLimited(write, banWatchLimits.linesPerSecond, () => clock.nowMs());
      return (fields: object) => line(fields, message);
    };
    this.#began = limited((fields, message) => log.warn(fields, message), 'source banned');
    this.#ended = limited((fields, message) => log.info(fields, message), 'ban over');
    this.#lookLater(banWatchLimits.lookMs);
  }

  async prepare({ security }: Pick<Config, 'security'>): Promise<Prepared> {
    return {
      commit: () => {
        this.#export.to(security.banExport);
        this.#look();
        this.#write();
      },
      discard: () => {},
    };
  }

  /** The exported file is this process's. */
  begin(): void {
    this.#isExporting = true;
    this.#write();
  }

  /** It is another process's now; what is being written is the last. */
  release(): void {
    this.#isExporting = false;
    this.#export.to(null);
  }

  /** The exported file stays as it is. */
  close(): void {
    this.#cancelLook();
  }

  /** Active now, and made by the guard. */
  get counts(): { readonly active: number; readonly attacks: number } {
    const { bansActive, bans } = this.#parts.admission.counts();
    return { active: bansActive, attacks: bans.attempts + bans.failures };
  }

  /** For other nodes of the cluster. */
  get own(): OwnBans {
    return { version: this.#version, list: (most) => this.#own(most) };
  }

  /** All that another node of the cluster has banned now. */
  learn(node: string, bans: readonly BanNote[]): void {
    this.#learned.take(node, bans);
  }

  list(limit: number = banLimits.rowsDefault): BanList {
    const { admission } = this.#parts;
    const nowMs = this.#parts.nowMs();
    const bans = admission.bans(limit).map((row) => this.#banOf(row, nowMs));
    return { bans, active: admission.counts().bansActive };
  }

  ban({ ip, for: time = FOR_DEFAULT, reason }: BanRequest): BanResult {
    const source = banSource(ip);
    if (source === null) return { result: 'invalid', path: 'ip', message: NO_SOURCE };
    const ms = parseDuration(time);
    if (ms === null || ms < 1000 || ms > banLimits.forMsMax)
      return { result: 'invalid', path: 'for', message: NO_TIME };
    if (this.#isTrusted(source.address)) return { result: 'trusted' };
    const { admission, nowMs } = this.#parts;
    const row = admission.ban(source.address, ms) ? admission.banOf(source.address) : null;
    if (row === null) return { result: 'full' };
    if (reason === undefined) this.#reasons.delete(source.shown);
    else this.#reasons.set(source.shown, reason);
    this.#isBehind = true;
    const now = nowMs();
    this.#see(this.#known, source.shown, row, now);
    return { result: 'banned', ban: this.#banOf(row, now) };
  }

  lift(ip: string): LiftResult {
    const source = banSource(ip);
    if (source === null) return { result: 'invalid', message: NO_SOURCE };
    const row = this.#parts.admission.banOf(source.address);
    if (row === null || !this.#parts.admission.lift(source.address)) return { result: 'not_banned' };
    const lifted = this.#banOf(row, this.#parts.nowMs());
    this.#isBehind = true;
    const seen = this.#known.get(source.shown);
    this.#known.delete(source.shown);
    if (seen !== undefined) this.#over(source.shown, seen, { lifted: true });
    return { result: 'lifted', ban: lifted };
  }

  #banOf({ address, reason: cause, ageMs, leftMs }: BannedSource, nowMs: number): Ban {
    const shown = shownOfEngine(address);
    return {
      address: shown,
      cause,
      reason: this.#reasons.get(shown) ?? null,
      since: new Date(nowMs - ageMs).toISOString(),
      until: new Date(nowMs + leftMs).toISOString(),
      leftSeconds: Math.ceil(leftMs / 1000),
    };
  }

  #lookLater(ms: number): void {
    this.#cancelLook = this.#parts.clock.after(ms, () => {
      const beganMs = this.#parts.clock.nowMs();
      this.#learned.look();
      this.#look();
      if (this.#export.hasFailed || this.#parts.trusted() !== this.#leftOut) this.#write();
      const tookMs = this.#parts.clock.nowMs() - beganMs;
      const waitMs = Math.max(banWatchLimits.lookMs, tookMs / banWatchLimits.shareMax);
      this.#lookLater(Math.min(waitMs, banWatchLimits.lookMsMax));
    });
  }

  /** Tells and exports what has changed. Reads bans only if their numbers have. */
  #look(): void {
    const { bansActive, bans, lifted, displaced } = this.#parts.admission.counts();
    const counted = JSON.stringify([bansActive, bans, lifted, displaced]);
    if (counted === this.#counted) return;
    this.#counted = counted;
    const before = this.#known;
    const now = new Map<string, Seen>();
    const nowMs = this.#parts.nowMs();
    for (const row of this.#parts.admission.bans()) {
      const shown = shownOfEngine(row.address);
      const known = before.get(shown);
      if (known !== undefined) now.set(shown, known);
      this.#see(now, shown, row, nowMs);
    }
    this.#known = now;
    const gone = [...before].filter(([shown]) => !now.has(shown));
    for (const [shown, seen] of gone) this.#over(shown, seen);
    const hasNew = [...now.keys()].some((shown) => !before.has(shown));
    if (hasNew || gone.length > 0 || this.#isBehind) this.#write();
  }

  /** Tells of a ban that is not in `known` as it is. */
  #see(known: Map<string, Seen>, shown: string, row: BannedSource, nowMs: number): void {
    const until = nowMs + row.leftMs;
    const before = known.get(shown);
    const cause = row.reason;
    known.set(shown, { until, untilMs: this.#parts.clock.nowMs() + row.leftMs, cause });
    if (before?.cause === cause && Math.abs(before.until - until) < SAME_MS) return;
    if (cause !== 'cluster' || (before && before.cause !== 'cluster')) this.#version += 1;
    this.#began(fieldsOf(this.#banOf(row, nowMs)));
  }

  #over(shown: string, { cause }: Seen, how: { lifted?: true } = {}): void {
    if (cause !== 'cluster') this.#version += 1;
    this.#reasons.delete(shown);
    this.#ended({ source: shown, ...how });
  }

  /** As they were seen last: to read all of them again would take as long as a look. */
  #own(most: number): BanNote[] {
    const nowMs = this.#parts.clock.nowMs();
    const rank = ({ cause }: Seen) => (cause === 'operator' ? 0 : 1);
    return [...this.#known]
      .filter(([, { cause, untilMs }]) => cause !== 'cluster' && untilMs > nowMs)
      .sort(([, one], [, other]) => rank(one) - rank(other) || other.untilMs - one.untilMs)
      .slice(0, most)
      .map(([shown, { untilMs }]) => ({ address: addressOfShown(shown), leftMs: untilMs - nowMs }));
  }

  /** Trusted sources are admitted here although they are banned, so a firewall is not to drop them either. */
  #write(): void {
    this.#isBehind = false;
    this.#leftOut = this.#parts.trusted();
    if (!this.#isExporting || !this.#export.isOn) return;
    const addresses = [...this.#known.keys()];
    const isLeftOut = (shown: string) => this.#isTrusted(banSource(shown)?.address ?? '');
    this.#export.write(this.#leftOut === null ? addresses : addresses.filter((each) => !isLeftOut(each)));
  }

  #isTrusted(address: string): boolean {
    return this.#parts.trusted()?.contains(address) ?? false;
  }
}

const NO_SOURCE =
  'expected an address such as `192.0.2.7`, or the /64 of an IPv6 one; networks are for `security.ip_blacklist`';
const NO_TIME = `expected a duration such as \`10m\`, from 1s to ${formatDuration(banLimits.forMsMax)}`;

/** Two readings of one ban differ by the grain of the clocks. */
const SAME_MS = 500;

const fieldsOf = ({ address, cause, reason, until }: Ban): object => ({
  source: address,
  cause,
  ...(reason !== null && { reason }),
  until,
});

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
  type BanList,
  type BanRequest,
  type BanResult,
  banLimits,
  type LiftResult,
} from '../../model/ban.js';
import type { Config } from '../../model/config.js';
import type { Part, Prepared } from '../part.js';
import { BanExport } from './export.js';
import { banSource, shownOfEngine } from './source.js';

export const banWatchLimits = {
  /** Between two looks, at least. */
  lookMs: 1000,
  /** A look at many bans takes at most this part of the time. */
  shareMax: 0.05,
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

export class Bans implements Part {
  readonly #parts: BansParts;
  readonly #export: BanExport;
  readonly #began: (fields: object) => void;
  readonly #ended: (fields: object) => void;
  /** As they were seen last, by address as shown: when each ends, since the epoch. */
  #known = new Map<string, number>();
  /** Of two processes of an upgrade only the one that has the sockets exports. */
  #isExporting = false as boolean;
  /** An operator has changed them since they were exported. */
  #isBehind = false as boolean;
  /** Of those that an operator has made. */
  readonly #reasons = new Map<string, string>();
  #counted = '';
  /** Whom the exported file leaves out. */
  #leftOut: object | null = null;
  #cancelLook: () => void = () => {};

  constructor(parts: BansParts) {
    const { log, clock } = parts;
    this.#parts = parts;
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
    if (this.#known.delete(source.shown)) this.#over(source.shown, { lifted: true });
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
      this.#look();
      if (this.#export.hasFailed || this.#parts.trusted() !== this.#leftOut) this.#write();
      const tookMs = this.#parts.clock.nowMs() - beganMs;
      this.#lookLater(Math.max(banWatchLimits.lookMs, tookMs / banWatchLimits.shareMax));
    });
  }

  /** Tells and exports what has changed. Reads bans only if their numbers have. */
  #look(): void {
    const { bansActive, bans, lifted, displaced } = this.#parts.admission.counts();
    const counted = JSON.stringify([bansActive, bans, lifted, displaced]);
    if (counted === this.#counted) return;
    this.#counted = counted;
    const before = this.#known;
    const now = new Map<string, number>();
    const nowMs = this.#parts.nowMs();
    for (const row of this.#parts.admission.bans()) {
      const shown = shownOfEngine(row.address);
      const known = before.get(shown);
      if (known !== undefined) now.set(shown, known);
      this.#see(now, shown, row, nowMs);
    }
    this.#known = now;
    const gone = [...before.keys()].filter((shown) => !now.has(shown));
    for (const shown of gone) this.#over(shown);
    const hasNew = [...now.keys()].some((shown) => !before.has(shown));
    if (hasNew || gone.length > 0 || this.#isBehind) this.#write();
  }

  /** Tells of a ban that is not in `known` as it is. */
  #see(known: Map<string, number>, shown: string, row: BannedSource, nowMs: number): void {
    const until = nowMs + row.leftMs;
    const before = known.get(shown);
    known.set(shown, until);
    if (before === undefined || Math.abs(before - until) >= SAME_MS)
      this.#began(fieldsOf(this.#banOf(row, nowMs)));
  }

  #over(shown: string, how: { lifted?: true } = {}): void {
    this.#reasons.delete(shown);
    this.#ended({ source: shown, ...how });
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

/**
 * Links of reliable UDP: answers the engine's events about them with handshakes (src/kcp), and says in the log which came
 * up, went down, and were refused. No packet of a link comes here.
 */

import type { KcpEvent, KcpLink, KcpStats } from '../addon/kcp.js';
import type { Engine } from '../addon.js';
import { hostPort } from '../base/address.js';
import { type Logger, type LogLine, rateLimited } from '../base/log.js';
import { type Identity, identityOf } from '../kcp/handshake.js';
import { type EventOf, Handshakes } from '../kcp/handshakes.js';
import { Refusals, refusalWords } from '../kcp/refusals.js';
import type { SocketAddress } from '../model/address.js';
import type { KcpProfile, NoiseProfile } from '../model/kcp.js';
import { type KcpLinkInfo, kcpLinkLimits } from '../model/kcp-links.js';

export const linkLogLimits = {
  /** Of links that come up and go down, and likewise of refusals. */
  linesPerSecond: 10,
  /** Of `status_log`. */
  statusLinesPerSecond: 100,
  /** Agreed on, and never heard of again: the engine forgets them after 10 s. */
  halfOpenMsMax: 15_000,
} as const;

export interface LinksParts {
  readonly worker: number;
  readonly engine: Pick<
    Engine,
    'kcpAccept' | 'kcpRefuse' | 'kcpSend' | 'kcpEstablish' | 'kcpFail' | 'kcpLinks'
  >;
  readonly logger: Logger;
  /** By id, of any Plan that has sessions. */
  readonly profileOf: (id: number) => KcpProfile | undefined;
  /** By id, of the Plan in force. */
  readonly listenerOf: (id: number) => string | undefined;
  /** False: the engine is closed. */
  readonly isOpen: () => boolean;
}

const isNoise = (profile: KcpProfile | undefined): profile is NoiseProfile =>
  profile?.security.wire === 'anyport';

export class Links {
  readonly #parts: LinksParts;
  readonly #handshakes: Handshakes;
  readonly #refusals = new Refusals();
  readonly #identities = new Map<string, Identity>();
  /** Link → id of what it has agreed on, and when. */
  readonly #sessions = new Map<number, { readonly session: string; readonly atMs: number; isUp: boolean }>();
  /** Id of a profile with `status_log` → its timer, while it has links. */
  readonly #reporting = new Map<number, NodeJS.Timeout>();
  readonly #tell: LogLine;
  readonly #warn: LogLine;
  readonly #refuse: LogLine;
  readonly #report: LogLine;

  constructor(parts: LinksParts) {
    this.#parts = parts;
    const { engine, logger } = parts;
    const port = {
      accept: engine.kcpAccept.bind(engine),
      refuse: engine.kcpRefuse.bind(engine),
      send: engine.kcpSend.bind(engine),
      establish: engine.kcpEstablish.bind(engine),
      fail: engine.kcpFail.bind(engine),
    };
    this.#handshakes = new Handshakes(port, (link, session) => this.#remember(link, session));
    const nowMs = () => performance.now();
    const { linesPerSecond, statusLinesPerSecond } = linkLogLimits;
    this.#tell = rateLimited((fields, message) => logger.info(fields, message), linesPerSecond, nowMs);
    this.#warn = rateLimited((fields, message) => logger.warn(fields, message), linesPerSecond, nowMs);
    this.#refuse = rateLimited((fields, message) => logger.warn(fields, message), linesPerSecond, nowMs);
    this.#report = rateLimited(
      (fields, message) => logger.info(fields, message),
      statusLinesPerSecond,
      nowMs,
    );
  }

  on(event: KcpEvent): void {
    switch (event.kind) {
      case 'hello':
        return this.#greet(event);
      case 'begin':
        return this.#call(event);
      case 'answer':
        return this.#handshakes.answered(event);
      case 'up':
        return this.#up(event);
      case 'down':
        return this.#down(event);
      default: // streams are the engine's own
    }
  }

  /** The newest first. */
  list(limit: number): { readonly links: readonly KcpLinkInfo[]; readonly total: number } {
    const all = this.#parts.engine.kcpLinks();
    const newest = all.toSorted((a, b) => a.ageMs - b.ageMs).slice(0, Math.min(limit, kcpLinkLimits.rowsMax));
    return { links: newest.map((link) => this.#infoOf(link)), total: all.length };
  }

  close(): void {
    for (const timer of this.#reporting.values()) clearInterval(timer);
    this.#reporting.clear();
    this.#handshakes.close();
  }

  #greet(event: EventOf<'hello'>): void {
    const profile = this.#parts.profileOf(event.profile);
    if (!isNoise(profile)) {
      this.#parts.engine.kcpRefuse(event.handle);
      return;
    }
    const refusal = this.#handshakes.greet(event, this.#identityOf('server', event.profile, profile));
    const source = hostOf(event.from);
    if (refusal === null || !this.#refusals.isNews(source, Date.now())) return;
    const why = refusalWords[refusal];
    this.#refuse({ profile: profile.name, source, refusal, why }, 'kcp: client refused');
  }

  #call(event: EventOf<'begin'>): void {
    const profile = this.#parts.profileOf(event.profile);
    if (!isNoise(profile)) return; // its Plan is gone, and so is who wanted the link
    this.#handshakes.call(event, this.#identityOf('client', event.profile, profile));
  }

  #up({ link, profile: id, isClient, from }: EventOf<'up'>): void {
    const session = this.#sessions.get(link);
    if (session !== undefined) session.isUp = true;
    const profile = this.#parts.profileOf(id);
    if (profile === undefined) return;
    if (profile.statusLogMs > 0) this.#reportOn(id, profile.statusLogMs);
    this.#tell({ ...this.#nameOf(link, profile, isClient, from) }, 'kcp link up');
  }

  #down({ link, profile: id, isClient, from, reason, stats }: EventOf<'down'>): void {
    const profile = this.#parts.profileOf(id);
    const named = profile && this.#nameOf(link, profile, isClient, from);
    this.#handshakes.forget(link);
    this.#sessions.delete(link);
    if (named === undefined) return;
    const tell = isOrderly(reason) ? this.#tell : this.#warn;
    tell({ ...named, reason, ...figuresOf(stats) }, 'kcp link down');
  }

  #nameOf(link: number, { name }: KcpProfile, isClient: boolean, from: SocketAddress): object {
    return {
      profile: name,
      side: isClient ? 'client' : 'server',
      remote: textOf(from),
      session: this.#sessions.get(link)?.session,
      worker: this.#parts.worker,
    };
  }

  #remember(link: number, session: string): void {
    const atMs = Date.now();
    this.#forgetHalfOpen(atMs);
    this.#sessions.set(link, { session, atMs, isUp: false });
  }

  /** In the order of their handshakes; each that comes up or has gone is passed over. */
  #forgetHalfOpen(nowMs: number): void {
    for (const [link, { atMs, isUp }] of this.#sessions) {
      if (nowMs - atMs < linkLogLimits.halfOpenMsMax) return;
      if (isUp) continue;
      this.#sessions.delete(link);
    }
  }

  #identityOf(side: 'client' | 'server', id: number, profile: NoiseProfile): Identity {
    const key = `${side} ${id}`;
    const known = this.#identities.get(key) ?? identityOf(side, profile);
    this.#identities.set(key, known);
    return known;
  }

  #reportOn(id: number, everyMs: number): void {
    if (this.#reporting.has(id)) return;
    this.#reporting.set(id, setInterval(() => this.#reportLinks(id), everyMs).unref());
  }

  /** `status_log`; without links the timer rests. */
  #reportLinks(id: number): void {
    const { engine, isOpen } = this.#parts;
    const own = isOpen()
      ? engine.kcpLinks().filter(({ profile, state }) => profile === id && state === 'up')
      : [];
    if (own.length === 0) {
      clearInterval(this.#reporting.get(id));
      this.#reporting.delete(id);
    }
    for (const link of own) {
      const { profile, side, remote, session, worker, streams, mtu, window } = this.#infoOf(link);
      this.#report(
        { profile, side, remote, session, worker, streams, mtu, window, ...figuresOf(link) },
        'kcp link',
      );
    }
  }

  #infoOf(link: KcpLink): KcpLinkInfo {
    const { worker, profileOf, listenerOf } = this.#parts;
    const profile = profileOf(link.profile);
    // Those that are listed otherwise are taken out.
    const {
      link: number,
      listener,
      isClient,
      remote,
      rttMs,
      rttVarMs,
      ageMs,
      peerWindow,
      keys,
      ...rest
    } = link;
    return {
      ...rest,
      id: `${worker}-${number}`,
      worker,
      profile: profile?.name ?? '',
      wire: profile?.security.wire ?? 'anyport',
      side: isClient ? 'client' : 'server',
      listener: listenerOf(listener) ?? null,
      remote: textOf(remote),
      session: this.#sessions.get(number)?.session ?? null,
      startedAt: new Date(Date.now() - ageMs).toISOString(),
      ageMs: Math.round(ageMs),
      idleMs: Math.round(rest.idleMs),
      rttMs: rttMs === 0 ? null : hundredths(rttMs),
      rttVarMs: rttMs === 0 ? null : hundredths(rttVarMs),
      window: peerWindow,
      keyChanges: keys,
    };
  }
}

const hostOf = (address: SocketAddress): string => ('host' in address ? address.host : 'unix');
const textOf = (address: SocketAddress): string =>
  'host' in address ? hostPort(address.host, address.port) : 'unix';

/** As native/kcp/link_settings.h names them. */
const isOrderly = (reason: string): boolean =>
  ['done', 'idle', 'shutdown', 'admin', 'replaced', 'overtaken'].includes(reason);

const hundredths = (value: number): number => Math.round(value * 100) / 100;

/** What log lines say of a link, in the units of its other lines. */
const figuresOf = (stats: KcpStats): object => ({
  rtt_ms: hundredths(stats.rttMs),
  loss: Math.round(stats.lossRate * 10_000) / 10_000,
  segments_sent: stats.segmentsSent,
  segments_received: stats.segmentsReceived,
  retransmits: stats.retransmits,
  recovered: stats.recovered,
  bytes_sent: stats.bytesSent,
  bytes_received: stats.bytesReceived,
});

/**
 * Live sessions of one worker: listed, counted and ended on request of the primary. The engine writes rows in slices,
 * and the event loop turns between two slices, so 100,000 sessions hold nobody up.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Engine, native } from '../addon.js';
import { createNetworkSet, UNIX_PEERS } from '../base/network.js';
import { Top } from '../base/top.js';
import type { KcpLinkInfo } from '../model/kcp-links.js';
import type { SessionAsk, SessionReply } from '../model/message.js';
import { enders, reasons } from '../model/session.js';
import {
  type LiveCounts,
  type SessionInfo,
  type SessionOrder,
  type SessionQuery,
  sessionListLimits,
} from '../model/session-list.js';
import type { Session } from './known-session.js';
import type { SessionId } from './rings.js';
import { RowCursor } from './rows.js';
import type { Runtime } from './runtime.js';
import { idText, sourceText } from './session-line.js';

/** Time after which the event loop turns; checked between two slices of 64 rows. */
const TURN_MS = 1;

export interface ListingParts {
  readonly worker: number;
  readonly engine: Pick<Engine, 'list' | 'end'>;
  readonly runtimeOf: (generation: number) => Runtime;
  /** What TypeScript knows of a session; it forgets most sessions once they are connected and nothing is logged. */
  readonly sessionOf: (id: SessionId) => Session | undefined;
  /** What decided about a session that is connected: an index into the Plan's routes, or a key of the listener. */
  readonly decisionOf: (slot: number) => Session['decision'];
  /** Links of reliable UDP, the newest first. */
  readonly linksOf: (limit: number) => { readonly links: readonly KcpLinkInfo[]; readonly total: number };
  /** False: the engine is closed. */
  readonly isOpen: () => boolean;
}

/** The names of a session's own Plan for where it came in and where it goes. */
type Place = Pick<SessionInfo, 'listener' | 'protocol' | 'route' | 'upstream' | 'endpoint'>;

const keys: Readonly<Record<SessionOrder, (row: RowCursor) => number>> = {
  newest: ({ ageMs }) => performance.now() - ageMs,
  oldest: ({ ageMs }) => ageMs - performance.now(),
  largest: ({ bytesUp, bytesDown }) => bytesUp + bytesDown,
};

export class Listing {
  readonly #parts: ListingParts;
  /** Shared by all requests: a slice is read before the next turn. Made when first needed. */
  #rows: RowCursor | undefined;

  constructor(parts: ListingParts) {
    this.#parts = parts;
  }

  /** Null: the engine has been closed meanwhile. */
  async answer(ask: SessionAsk): Promise<SessionReply | null> {
    if (!this.#parts.isOpen()) return null;
    if (ask.type === 'end') return this.#end(ask);
    if (ask.type === 'links') return { type: 'links', ...this.#parts.linksOf(ask.limit) };
    return ask.type === 'list' ? this.#list(ask.query) : this.#count();
  }

  #end({ slot, generation }: SessionId): SessionReply {
    const found = this.#parts.engine.end(slot, generation, enders.indexOf('admin'), reasons.indexOf('admin'));
    return { type: 'ended', found };
  }

  async #list(query: SessionQuery): Promise<SessionReply | null> {
    const top = new Top<Omit<SessionInfo, 'startedAt'>>(query.limit ?? sessionListLimits.rowsDefault);
    const keyOf = keys[query.order ?? 'newest'];
    const matches = createFilter(query);
    let matching = 0;
    const complete = await this.#each((row) => {
      const place = this.#placeOf(row);
      if (!matches(place, row)) return;
      matching += 1;
      top.offer(keyOf(row), () => this.#infoOf(row, place));
    });
    if (!complete) return null;
    const nowMs = Date.now();
    const sessions = top.items().map((session) => ({
      ...session,
      startedAt: new Date(nowMs - session.durationMs).toISOString(),
    }));
    return { type: 'listed', sessions, matching };
  }

  async #count(): Promise<SessionReply | null> {
    const tally = createTally();
    const complete = await this.#each((row) => tally.add(this.#placeOf(row)));
    return complete ? { type: 'counted', counts: tally.counts } : null;
  }

  /** Visits all live sessions. False: the engine has been closed meanwhile. */
  async #each(visit: (row: RowCursor) => void): Promise<boolean> {
    this.#rows ??= new RowCursor(native.layout);
    const rows = this.#rows;
    let turnMs = performance.now();
    for (let slot = 0; ; ) {
      if (!this.#parts.isOpen()) return false;
      this.#parts.engine.list(slot, rows.memory);
      slot = rows.next;
      for (let row = 0; row < rows.count; row += 1) {
        rows.moveTo(row);
        visit(rows);
      }
      if (slot === 0) return true;
      if (performance.now() - turnMs < TURN_MS) continue;
      await nextTurn();
      turnMs = performance.now();
    }
  }

  #placeOf(row: RowCursor): Place {
    const { runtimeOf, sessionOf } = this.#parts;
    const runtime = runtimeOf(row.plan);
    const session = sessionOf(row);
    const own = row.ownAddress();
    const aim = session ?? (own === '' ? aimOf(runtime, row.dial) : { upstream: row.upstream, endpoint: -1 });
    const upstream = aim === undefined ? undefined : runtime.plan.upstreams[aim.upstream];
    const protocol = runtime.orders[row.transport][row.listener]?.[row.protocol] ?? -1;
    return {
      listener: runtime.plan.listeners[row.listener]?.name ?? '',
      protocol: runtime.protocols[protocol]?.id ?? null,
      route: upstream === undefined ? null : this.#routeOf(row, session, runtime),
      upstream: upstream?.name ?? null,
      endpoint: own || ((aim && upstream?.endpoints[aim.endpoint]?.name) ?? null),
    };
  }

  #routeOf(row: RowCursor, session: Session | undefined, { plan }: Runtime): string | null {
    const decision = session === undefined ? this.#parts.decisionOf(row.slot) : session.decision;
    return (typeof decision === 'number' ? plan.routes[decision]?.name : decision) ?? null;
  }

  #infoOf(row: RowCursor, place: Place): Omit<SessionInfo, 'startedAt'> {
    const { worker } = this.#parts;
    const { ageMs, idleMs } = row;
    return {
      id: idText(worker, row),
      worker,
      stage: row.stage,
      source: sourceText(row),
      transport: row.isKcp ? 'kcp' : row.transport,
      ...place,
      bytesUp: row.bytesUp,
      bytesDown: row.bytesDown,
      durationMs: Math.round(ageMs),
      idleMs: idleMs < 0 ? null : idleMs,
    };
  }
}

function createFilter(query: SessionQuery): (place: Place, row: RowCursor) => boolean {
  const { source } = query;
  const wanted = (['listener', 'protocol', 'upstream', 'endpoint'] as const).filter(
    (key) => query[key] !== undefined,
  );
  const fromThere = source === undefined ? () => true : sourceTest(source);
  return (place, row) => wanted.every((key) => place[key] === query[key]) && fromThere(row);
}

function sourceTest(source: string): (row: RowCursor) => boolean {
  if (source === UNIX_PEERS) return (row) => row.sourceAddress() === '';
  const inNetwork = createNetworkSet([source]);
  return (row) => inNetwork(row.sourceAddress());
}

interface Aim {
  readonly upstream: number;
  readonly endpoint: number;
}

/** Dial → its upstream and endpoint; made for a runtime when first needed. */
const aims = new WeakMap<Runtime, readonly Aim[]>();

function aimOf(runtime: Runtime, dial: number): Aim | undefined {
  let known = aims.get(runtime);
  if (known === undefined) {
    const owners: Aim[] = [];
    for (const [upstream, { dials }] of runtime.upstreams.entries()) {
      for (const [endpoint, { first, count }] of dials.entries())
        for (let dial = first; dial < first + count; dial += 1) owners[dial] = { upstream, endpoint };
    }
    known = owners;
    aims.set(runtime, known);
  }
  return known[dial];
}

function createTally() {
  const counts = {
    listeners: new Map<string, number>(),
    protocols: new Map<string, number>(),
    routes: new Map<string, number>(),
    upstreams: new Map<string, number>(),
    endpoints: new Map<string, number>(),
  } satisfies LiveCounts;
  const add = (names: Map<string, number>, name: string | null) => {
    if (name !== null) names.set(name, (names.get(name) ?? 0) + 1);
  };
  return {
    counts,
    add({ listener, protocol, route, upstream, endpoint }: Place): void {
      add(counts.listeners, listener);
      add(counts.protocols, protocol);
      add(counts.routes, route);
      add(counts.upstreams, upstream);
      add(counts.endpoints, endpoint && `${upstream} ${endpoint}`);
    },
  };
}

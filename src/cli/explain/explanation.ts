/**
 * Explains what a listener would do with a client's first bytes: the steps of a live session, each with its reasons.
 * Uses the same signatures, confirmations and conditions; neither listens nor dials.
 */
import type { Facts, Turn } from '../../model/facts.js';
import type { UpstreamOrigin } from '../../model/origins.js';
import type { Plan, PlanListener, PlanTarget } from '../../model/plan.js';
import { saysFacts } from '../../protocols/proxy-writer.js';
import type { RouteSession } from '../../routing/condition.js';
import { createNaming } from '../../routing/naming.js';
import { createRouteTable } from '../../routing/table.js';
import { type Opening, type Taken, takeHeader } from './opening.js';
import { type Classified, classify, type ProtocolRow } from './protocols.js';
import {
  explainRoutes,
  explainUnread,
  factsAwaitedBy,
  type RouteRow,
  targetText,
  unreadSession,
} from './routes.js';
import { hearTurns } from './turns.js';

export interface Explanation {
  readonly listener: string;
  /** The client's address as routes see it; null if not known. */
  readonly source: string | null;
  readonly bytes: number;
  readonly protocol: string | null;
  /** `unread`: the route is decided at accept, before a byte of the session is read. */
  readonly verdict: 'match' | 'more' | 'unknown' | 'unread';
  /** Like all offsets here counted from the first byte received, PROXY header included. */
  readonly decidedAtByte: number;
  /** If present, the match takes effect after a silence of this length. */
  readonly quietMs?: number;
  readonly facts: Facts;
  /** What the client, and then the endpoint, is told before the session's bytes; absent: nothing. */
  readonly told?: { readonly client: readonly string[]; readonly endpoint: readonly string[] };
  readonly outcome: Outcome;
  /** Where the target is said; absent: it is no upstream. */
  readonly upstream?: UpstreamOrigin;
  /** In rank order. */
  readonly protocols: readonly ProtocolRow[];
  /** In the order of testing. */
  readonly routes: readonly RouteRow[];
}

export interface Outcome {
  /** The upstream's name or the closing; null: waiting for more bytes. */
  readonly target: string | null;
  /** The part of the configuration that decides; `limits`: the wait for more bytes. */
  readonly by: 'route' | 'forward' | 'on_unknown' | 'on_silence' | 'proxy_protocol' | 'facts' | 'limits';
  readonly why: string;
}

/** `nowMs`: when the session is routed. */
export async function explain(
  plan: Plan,
  listener: number,
  opening: Opening,
  nowMs = Date.now(),
): Promise<Explanation> {
  const place = plan.listeners[listener] as PlanListener;
  const taken = takeHeader(place, opening);
  const { header, headerBytes, source } = taken;
  const told = { listener: place.name, source: source === '' ? null : source, bytes: opening.bytes.length };
  if (header === 'due' || header === 'missing') return { ...told, ...headerless(plan, header, taken) };
  const unread = unreadSession(listener, taken, nowMs);
  const table = createRouteTable(plan, (to) => factsAwaitedBy(plan, to).length > 0 || isToldFacts(plan, to));
  const early = table.routeAtAccept(unread);
  if (early !== null) return { ...told, ...decidedEarly(plan, unread, taken, early.route) };
  const plain = await classify(plan, place, taken);
  const hears = table.asksHello(listener, plain.protocol);
  const factsOf = (bytes: Uint8Array) => hearTurns(plain.factsOf, bytes).answer;
  const classified = hears ? { ...plain, factsOf } : plain;
  const routes = explainRoutes({ plan, listener, opening: taken, classified, nowMs });
  const answer = classified.factsOf(taken.bytes);
  const { turns } = hears ? hearTurns(plain.factsOf, taken.bytes) : { turns: [] };
  return {
    ...told,
    protocol: plan.protocols[classified.protocol]?.id ?? null,
    verdict: classified.verdict,
    decidedAtByte: headerBytes + classified.decidedAt,
    ...(classified.quietMs !== null && { quietMs: classified.quietMs }),
    ...(turns.length > 0 && { told: toldBy(turns) }),
    facts: { ...(classified.verdict === 'match' && answer.facts), ...taken.facts },
    outcome: outcomeOf(plan, listener, taken, classified, routes),
    protocols: [...classified.rows.values()].map((row) => ({ ...row, atByte: headerBytes + row.atByte })),
    routes,
  };
}

const toldBy = (turns: readonly Turn[]) => ({
  client: turns.map(({ words }) => words),
  endpoint: turns.slice(-1).flatMap(({ ask }) => ask?.words ?? []),
});

function isToldFacts({ upstreams }: Plan, to: PlanTarget): boolean {
  const upstream = to.kind === 'upstream' ? upstreams[to.upstream] : undefined;
  return upstream !== undefined && saysFacts(upstream.options.proxy_protocol);
}

const awaited = ({ limits }: Plan, mostMs = limits.identifyTimeoutMs): string =>
  `more bytes are awaited, for ${Math.min(mostMs, limits.identifyTimeoutMs)} ms at most`;

/** A session that waits only for its name is not held for the full timeout. */
function awaitedName(plan: Plan, listener: number, { rows }: Classified): string {
  const mayRoute = [...rows.values()].some(({ accepted, verdict }) => accepted && verdict !== 'no');
  const namingMs = mayRoute ? 0 : createNaming(plan)(listener);
  return namingMs === 0 ? awaited(plan) : awaited(plan, namingMs);
}

function decidedEarly(plan: Plan, session: RouteSession, { facts, headerBytes }: Taken, route: number) {
  const routes = explainUnread(plan, session, route);
  const { name = '', to = null } = routes[route] ?? {};
  const outcome: Outcome = { target: to, by: 'route', why: `${name} holds, whatever the client says` };
  const unread = { protocol: null, verdict: 'unread', decidedAtByte: headerBytes, protocols: [] } as const;
  return { ...unread, facts, outcome, routes };
}

/** Without the required header neither protocols nor routes are tested. */
function headerless(plan: Plan, header: 'due' | 'missing', { bytes }: Taken) {
  const outcome: Outcome =
    header === 'due'
      ? { target: null, by: 'limits', why: `the PROXY header is not whole: ${awaited(plan)}` }
      : {
          target: 'reset',
          by: 'proxy_protocol',
          why: 'the client is trusted to send a PROXY header, and sends none that is well-formed',
        };
  const verdict = header === 'due' ? 'more' : 'unknown';
  const nothing = { protocol: null, facts: {}, protocols: [], routes: [] };
  return { ...nothing, verdict, decidedAtByte: bytes.length, outcome } as const;
}

function outcomeOf(
  plan: Plan,
  listener: number,
  { bytes, transport }: Taken,
  classified: Classified,
  routes: readonly RouteRow[],
): Outcome {
  const { onSilence, onUnknown } = plan.listeners[listener] as PlanListener;
  if (bytes.length === 0 && onSilence && transport === 'tcp') {
    const why = `nothing has been said for ${onSilence.afterMs} ms`;
    return { target: targetText(plan, onSilence.to), by: 'on_silence', why };
  }
  const { verdict } = classified;
  if (verdict === 'more') return { target: null, by: 'limits', why: awaitedName(plan, listener, classified) };
  const chosen = routes.findIndex((row) => row.verdict !== 'no');
  const route = routes[chosen];
  if (route) return routed(plan, route);
  const why = verdict === 'match' ? 'no route takes it' : 'no protocol was recognised';
  return { target: targetText(plan, onUnknown), by: 'on_unknown', why };
}

/** `route`: the first whose verdict is not `no`. */
function routed(plan: Plan, { name, verdict, to, why }: RouteRow): Outcome {
  if (verdict === 'taken') return { target: to, by: 'route', why: `${name} holds` };
  if (verdict === 'more') return { target: null, by: 'limits', why: `${why}: ${awaited(plan)}` };
  return { target: 'reset', by: 'facts', why: `${name}: ${why}` };
}

/**
 * What a listener would do with a client's first bytes, and why: the steps of a live session, each with its reasons.
 * It asks the same signatures, confirmations and conditions; nothing is listened on, nothing dialed.
 */
import type { Facts } from '../../model/facts.js';
import type { Plan, PlanListener } from '../../model/plan.js';
import { createNaming } from '../../routing/naming.js';
import { type Opening, type Taken, takeHeader } from './opening.js';
import { type Classified, classify, type ProtocolRow } from './protocols.js';
import { explainRoutes, type RouteRow, targetText } from './routes.js';

export interface Explanation {
  readonly listener: string;
  /** The client's address as the routes see it; null when it is not known. */
  readonly source: string | null;
  readonly bytes: number;
  readonly protocol: string | null;
  readonly verdict: 'match' | 'more' | 'unknown';
  /** Counted, as all that follow, from the first byte that came, a PROXY header included. */
  readonly decidedAtByte: number;
  /** Present: it is said only when so long not one byte more has come. */
  readonly quietMs?: number;
  readonly facts: Facts;
  readonly outcome: Outcome;
  /** Best rank first. */
  readonly protocols: readonly ProtocolRow[];
  /** In the order in which they are asked. */
  readonly routes: readonly RouteRow[];
}

export interface Outcome {
  /** An upstream's name or a way to close; null: nothing is done before more bytes are there. */
  readonly target: string | null;
  /** Which part of the configuration says so; `limits`: the wait for more bytes. */
  readonly by: 'route' | 'on_unknown' | 'on_silence' | 'proxy_protocol' | 'facts' | 'limits';
  readonly why: string;
}

export async function explain(plan: Plan, listener: number, opening: Opening): Promise<Explanation> {
  const place = plan.listeners[listener] as PlanListener;
  const taken = takeHeader(place, opening);
  const { header, headerBytes, source } = taken;
  const told = { listener: place.name, source: source === '' ? null : source, bytes: opening.bytes.length };
  if (header === 'due' || header === 'missing') return { ...told, ...headerless(plan, header, taken) };
  const classified = await classify(plan, place, taken.bytes);
  const routes = explainRoutes({ plan, listener, opening: taken, classified });
  const answer = classified.factsOf(taken.bytes);
  return {
    ...told,
    protocol: plan.protocols[classified.protocol]?.id ?? null,
    verdict: classified.verdict,
    decidedAtByte: headerBytes + classified.decidedAt,
    ...(classified.quietMs !== null && { quietMs: classified.quietMs }),
    facts: { ...(classified.verdict === 'match' && answer.facts), ...taken.facts },
    outcome: outcomeOf(plan, listener, taken, classified, routes),
    protocols: [...classified.rows.values()].map((row) => ({ ...row, atByte: headerBytes + row.atByte })),
    routes,
  };
}

const awaited = ({ limits }: Plan, mostMs = limits.identifyTimeoutMs): string =>
  `more bytes are awaited, for ${Math.min(mostMs, limits.identifyTimeoutMs)} ms at most`;

/** What only has its name to wait for is not held for long. */
function awaitedName(plan: Plan, listener: number, { rows }: Classified): string {
  const mayRoute = [...rows.values()].some(({ accepted, verdict }) => accepted && verdict !== 'no');
  const namingMs = mayRoute ? 0 : createNaming(plan)(listener);
  return namingMs === 0 ? awaited(plan) : awaited(plan, namingMs);
}

/** Before the header is there nobody is asked about the session. */
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
  { bytes }: Taken,
  classified: Classified,
  routes: readonly RouteRow[],
): Outcome {
  const { onSilence, onUnknown } = plan.listeners[listener] as PlanListener;
  if (bytes.length === 0 && onSilence) {
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

/** `route` is the first that is not out. */
function routed(plan: Plan, { name, verdict, to, why }: RouteRow): Outcome {
  if (verdict === 'taken') return { target: to, by: 'route', why: `${name} holds` };
  if (verdict === 'more') return { target: null, by: 'limits', why: `${why}: ${awaited(plan)}` };
  return { target: 'reset', by: 'facts', why: `${name}: ${why}` };
}

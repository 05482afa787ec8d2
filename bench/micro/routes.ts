/** Cost of routing a session by number of routes. */
import type { Conditions, Plan, PlanRoute } from '../../src/model/plan.js';
import type { RouteSession } from '../../src/routing/condition.js';
import type { Routed } from '../../src/routing/prepared.js';
import { createRouteTable } from '../../src/routing/table.js';
import type { Task } from './task.js';

const counts = [1, 100, 20_000];
/** Sessions per call. */
const batch = 100;

interface Kind {
  readonly name: string;
  readonly when: (index: number) => Conditions;
  /** Properties of a session that takes this route and no earlier one. */
  readonly session: (index: number) => Partial<RouteSession>;
}

const addressOf = (index: number): string => `10.${index >> 16}.${(index >> 8) & 0xff}.${index & 0xff}`;

const kinds: readonly Kind[] = [
  {
    name: 'host',
    when: (index) => ({ host: `h${index}.example` }),
    session: (index) => ({ facts: { host: `h${index}.example` } }),
  },
  {
    name: 'host below a suffix',
    when: (index) => ({ host: `*.h${index}.example` }),
    session: (index) => ({ facts: { host: `www.h${index}.example` } }),
  },
  {
    name: 'SNI and ALPN',
    when: (index) => ({ sni: `h${index}.example`, alpn: 'h2' }),
    session: (index) => ({ facts: { sni: `h${index}.example`, alpn: ['h2', 'http/1.1'] } }),
  },
  {
    name: 'one of 20 hosts',
    when: (index) => ({ host: Array.from({ length: 20 }, (_, i) => `n${i}.h${index}.example`) }),
    session: (index) => ({ facts: { host: `n19.h${index}.example` } }),
  },
  {
    name: 'below a path',
    when: (index) => ({ path: `/h${index}/*` }),
    session: (index) => ({ facts: { path: `/h${index}/a/b?c=d` } }),
  },
  {
    name: 'source',
    when: (index) => ({ source: [addressOf(index)] }),
    session: (index) => ({ source: addressOf(index) }),
  },
];

export const routeTasks = (): Task[] =>
  kinds.flatMap((kind) => counts.map((count) => routeTask(kind, count)));

const unknown: RouteSession = {
  listener: 0,
  protocol: 0,
  source: '192.0.2.1',
  nowMs: 0,
  facts: {},
  factsComplete: true,
  broken: false,
  doubtful: [],
};

/** Sessions for routes spread over the table, early and late in a linear search. */
function routeTask({ name, when, session }: Kind, count: number): Task {
  const to = { kind: 'end', closing: 'close' } as const;
  const routes = Array.from(
    { length: count },
    (_, index): PlanRoute => ({ name: '', when: when(index), to }),
  );
  // The parts of a Plan that a route table reads.
  const table = createRouteTable({
    routes,
    listeners: [{ protocols: [0] }],
    protocols: [{}],
  } as unknown as Plan);
  const due = Array.from({ length: batch }, (_, i) => Math.floor((i * count) / batch));
  const sessions = due.map((index): RouteSession => ({ ...unknown, ...session(index) }));
  const taken: Routed[] = [];
  return {
    name: `${name}, ${count.toLocaleString('en')} ${count === 1 ? 'route' : 'routes'}`,
    operations: batch,
    run: () => {
      for (let i = 0; i < batch; i++) taken[i] = table.route(sessions[i] as RouteSession);
    },
    check: () => {
      const right = due.every((index, i) => isTo(taken[i], index));
      if (!right) throw new Error(`${name}: a session went elsewhere`);
    },
  };
}

const isTo = (routed: Routed | undefined, route: number): boolean =>
  routed?.kind === 'to' && routed.route === route;

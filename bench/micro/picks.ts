/** Cost of a pick among 1,000 endpoints, in each strategy, with sessions that come and go; and with affinity. */
import { HealthTable } from '../../src/health/table.js';
import type { PlanUpstream } from '../../src/model/plan.js';
import { AffinityTable } from '../../src/upstream/affinity.js';
import { strategyNames } from '../../src/upstream/balance/index.js';
import { Loads } from '../../src/upstream/loads.js';
import { type Seeker, Upstream } from '../../src/upstream/upstream.js';
import type { Task } from './task.js';

const ENDPOINTS = 1000;
/** Picks per call; a turn of the loop settles after each 64. */
const BATCH = 1024;
const TURN = 64;
/** Sessions that live at once. */
const SESSIONS = 8192;

const clients: readonly Seeker[] = Array.from({ length: BATCH }, (_, index) => ({
  source: `10.${index & 255}.${(index * 7) & 255}.${index >> 8}`,
  facts: {},
  doubtful: [],
  tried: undefined,
  full: -1,
}));

/** Ids as the registry gives them. */
const ids = Array.from({ length: ENDPOINTS }, (_, index) => index + 2);

function planOf(options: Partial<PlanUpstream['options']>): PlanUpstream {
  return {
    name: 'web',
    handler: null,
    options: { balance: 'round_robin', hash_key: 'source', affinity: 'off', max_connections: 0, ...options },
    endpoints: Array.from({ length: ENDPOINTS }, (_, index) => ({
      name: `10.0.${index >> 8}.${index & 255}:80`,
      weight: 1 + (index % 5),
      backup: false,
      state: 'up',
      addresses: [{ host: '10.0.0.1', port: 80 }],
    })),
  } as unknown as PlanUpstream;
}

function pickTask(name: string, options: Partial<PlanUpstream['options']>): Task {
  const counted = new Int32Array(new SharedArrayBuffer(4 * (ENDPOINTS + 2)));
  const loads = new Loads((endpoint) => counted[endpoint] as number);
  const health = new HealthTable();
  // Every tenth is down.
  for (const id of ids) if (id % 10 === 0) health.set(id, { up: false, share: 256 });
  const around = { loads, health, random: Math.random, affinity: new AffinityTable() };
  const upstream = new Upstream(
    { plan: planOf(options), id: 7, ids, affinityMs: 300_000 },
    { ...around, nowMs: () => 0, lookedUp: () => {} },
  );
  const picked = new Int32Array(BATCH);
  const live = new Int32Array(SESSIONS).fill(-1);
  let oldest = 0;
  return {
    name,
    operations: BATCH,
    run: () => {
      for (let index = 0; index < BATCH; index++) {
        const endpoint = upstream.pick(clients[index] as Seeker);
        picked[index] = endpoint;
        const id = endpoint + 2;
        counted[id] = (counted[id] as number) + 1;
        const leaves = live[oldest] as number;
        if (leaves >= 0) counted[leaves] = (counted[leaves] as number) - 1;
        live[oldest] = id;
        oldest = (oldest + 1) % SESSIONS;
        if (index % TURN === 0) loads.settle();
      }
    },
    check: () => {
      if (picked.some((endpoint) => endpoint < 0 || endpoint >= ENDPOINTS || (endpoint + 2) % 10 === 0))
        throw new Error(`${name}: a pick is of no endpoint that is up`);
      if (new Set(picked).size < ENDPOINTS / 3) throw new Error(`${name}: the picks are of a few endpoints`);
    },
  };
}

export const pickTasks = (): Task[] => [
  ...strategyNames.map((balance) => pickTask(balance, { balance })),
  pickTask('round_robin, affinity by source', { affinity: 'source' }),
];

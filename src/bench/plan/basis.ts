/** The figures that a plan is made from: what one of each costs. Pure. */
import { caseText, type Result } from '../result.js';

export interface Cost {
  /** CPU nanoseconds; bytes of a session. */
  readonly each: number;
  /** Of the rounds, the least and the most; the same where there was one. */
  readonly low: number;
  readonly high: number;
  readonly rounds: number;
  /** Where it was measured. */
  readonly from: string;
}

/** Null: not measured. */
export interface Basis {
  readonly connection: Cost | null;
  /** The dearer way of two. */
  readonly gigabyte: Cost | null;
  readonly message: Cost | null;
  readonly session: Cost | null;
  /** Resident bytes at rest, with so many workers. */
  readonly rest: { readonly bytes: number; readonly workers: number } | null;
}

export function basisOf(results: readonly Result[]): Basis {
  const costs = (name: string) =>
    results.filter(({ workload }) => workload === name || workload.startsWith(`${name}-`)).flatMap(costOf);
  const idle = most(
    results.filter(({ memory }) => memory !== null),
    ({ connections }) => connections,
  );
  return {
    connection: dearest(costs('conn')),
    gigabyte: dearest(costs('bulk')),
    message: dearest(results.filter(isManyPings).flatMap(costOf)),
    session: idle === null ? null : sessionCost(idle),
    rest: idle?.memory ? { bytes: idle.memory.residentBefore, workers: idle.workers } : null,
  };
}

/** A lone connection pays for a turn of the loop alone; loads that are planned for have many. */
const isManyPings = ({ workload, connections }: Result): boolean => workload === 'ping' && connections >= 16;

function costOf(result: Result): Cost[] {
  const { full, rounds } = result;
  if (full?.cpuPerUnit == null) return [];
  const costs = rounds.flatMap(({ cpuPerUnit }) => cpuPerUnit ?? []);
  return [
    {
      each: full.cpuPerUnit,
      low: Math.min(full.cpuPerUnit, ...costs),
      high: Math.max(full.cpuPerUnit, ...costs),
      rounds: Math.max(1, costs.length),
      from: caseText(result),
    },
  ];
}

const dearest = (costs: readonly Cost[]): Cost | null => most(costs, ({ each }) => each);

function sessionCost(idle: Result): Cost {
  const each = Math.max(0, idle.memory?.perSession ?? 0);
  return { each, low: each, high: each, rounds: 1, from: caseText(idle) };
}

function most<Each>(all: readonly Each[], by: (each: Each) => number): Each | null {
  return all.reduce<Each | null>((best, each) => (best === null || by(each) > by(best) ? each : best), null);
}

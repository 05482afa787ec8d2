/** The conditions a route may have: the table is also the configuration's vocabulary under `when`. */
import type { PlanConditions } from '../../model/plan.js';
import type { Condition, Key, PlanIndices, Test } from '../condition.js';
import { alpn } from './alpn.js';
import { host } from './host.js';
import { listener } from './listener.js';
import { protocol } from './protocol.js';
import { sni } from './sni.js';
import { source } from './source.js';

export const conditions = { protocol, listener, sni, alpn, host, source } as const;

export type ConditionName = keyof typeof conditions;

type Options = { readonly [Name in ConditionName]?: Parameters<(typeof conditions)[Name]['compile']>[0] };

/** A test ready to be asked, with what it looks at. */
export interface RouteTest {
  readonly name: ConditionName;
  readonly reads: Condition<unknown, unknown>['reads'];
  readonly test: Test;
  readonly key: Key | null;
}

/** Each kind knows its own types; whoever walks the table does not need to. */
function entriesOf(when: object): [Condition<unknown, unknown>, ConditionName, unknown][] {
  return Object.entries(when)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => {
      const name = key as ConditionName;
      return [conditions[name] as Condition<unknown, unknown>, name, value];
    });
}

export function compileConditions(when: Options, indices: PlanIndices): PlanConditions {
  const compiled = entriesOf(when).map(([kind, name, option]) => [name, kind.compile(option, indices)]);
  return Object.fromEntries(compiled) as PlanConditions;
}

export function createTests(when: PlanConditions): RouteTest[] {
  return entriesOf(when).map(([kind, name, data]) => ({
    name,
    reads: kind.reads,
    test: kind.create(data),
    key: kind.key?.(data) ?? null,
  }));
}

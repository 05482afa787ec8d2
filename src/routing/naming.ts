/** Sessions that nothing routes: how long their name is waited for, which is for the log alone. */
import type { Plan } from '../model/plan.js';

const NAMING_MS = 1000;

/** 0: a route of the listener may take a session of any name, which is then waited for as long as any. */
export function namingMsOf({ routes }: Plan, listener: number): number {
  const takesAnyName = routes.some(
    ({ when }) => when.protocol === undefined && (when.listener === undefined || when.listener === listener),
  );
  return takesAnyName ? 0 : NAMING_MS;
}

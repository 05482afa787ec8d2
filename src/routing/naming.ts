/** Sessions that nothing routes: how long their name is waited for, which is for the log alone. */
import type { Plan } from '../model/plan.js';
import { placeOf } from './conditions/index.js';

const NAMING_MS = 1000;

/** By listener. 0: a route may take a session of any name, which is then waited for as long as any. */
export function createNaming({ routes }: Plan): (listener: number) => number {
  const ofAnyName = routes
    .map(({ when }) => placeOf(when))
    .filter(({ protocols }) => protocols === undefined);
  return (listener) =>
    ofAnyName.some(({ listeners }) => listeners?.includes(listener) ?? true) ? 0 : NAMING_MS;
}

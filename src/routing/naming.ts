/** How long to wait for the protocol of a session that no route can take: its name serves the log only. */
import type { Plan } from '../model/plan.js';
import { placeOf } from './conditions/index.js';

const NAMING_MS = 1000;

/** Per listener, in ms. 0: a route takes sessions of any protocol, so the full identify timeout applies. */
export function createNaming({ routes }: Plan): (listener: number) => number {
  const ofAnyName = routes
    .map(({ when }) => placeOf(when))
    .filter(({ protocols }) => protocols === undefined);
  return (listener) =>
    ofAnyName.some(({ listeners }) => listeners?.includes(listener) ?? true) ? 0 : NAMING_MS;
}

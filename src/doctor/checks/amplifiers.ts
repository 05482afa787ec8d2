/**
 * Protocols that answer a datagram with more bytes than it has: who sends requests from a forged address has the answers
 * flood somebody else. Those are named that lead from a public listener to an upstream without `udp.amplification`.
 */
import { countText } from '../../base/figures.js';
import type { Config } from '../../model/config.js';
import { type Amplifier, amplifiers as known } from '../../protocols/amplification.js';
import type { Check, Finding } from '../check.js';
import { datagramListeners, isPublic, type Way, waysOf } from '../datagram-listeners.js';

export const amplifiers: Check = {
  name: 'amplifiers',
  examine: ({ config }) =>
    known.flatMap((amplifier) => {
      const ways = openWays(config, amplifier);
      return ways.length === 0 ? [] : [findingOf(amplifier, ways)];
    }),
};

function openWays(config: Config, amplifier: Amplifier): Way[] {
  const bounded = new Set(
    config.upstreams.filter(({ options }) => options.udp.amplification > 0).map(({ name }) => name),
  );
  const ways = datagramListeners(config)
    .filter((listener) => isPublic(config, listener))
    .flatMap((listener) => waysOf(config, listener, amplifier))
    .filter(({ upstream }) => !bounded.has(upstream));
  return [...new Map(ways.map((way) => [way.by, way])).values()];
}

function findingOf({ id, factor, advice, source }: Amplifier, ways: readonly Way[]): Finding {
  const upstreams = [...new Set(ways.map(({ upstream }) => upstream))];
  return {
    what: `${id} over UDP`,
    verdict: 'note',
    needed: 'sources that are not forged',
    there:
      factor === null ? 'answers exceed requests' : `answers of up to ${countText(factor)} times the request`,
    why: `${source}: open to the internet it floods others on behalf of forged sources, by ${ways.map(({ by }) => by).join(' and ')}`,
    remedies: [
      `udp: { amplification: 3 }  # of upstream ${upstreams.join(' and ')}`,
      'security.allow_only: [your networks]',
      advice,
    ],
  };
}

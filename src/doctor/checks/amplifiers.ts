/**
 * Protocols that answer a datagram with more bytes than it has: who sends requests from a forged address has the answers
 * flood somebody else.
 */
import { countText } from '../../base/figures.js';
import { type Amplifier, amplifiers as known } from '../../protocols/amplification.js';
import type { Check, Finding } from '../check.js';
import { datagramProtocols } from '../datagram-listeners.js';

export const amplifiers: Check = {
  name: 'amplifiers',
  examine: ({ config }) => {
    const named = datagramProtocols(config);
    return known.filter(({ id }) => named.has(id)).map(findingOf);
  },
};

const findingOf = ({ id, factor, advice, source }: Amplifier): Finding => ({
  what: `${id} over UDP`,
  verdict: 'note',
  needed: 'sources that are not forged',
  there:
    factor === null ? 'answers exceed requests' : `answers of up to ${countText(factor)} times the request`,
  why: `${source}: open to the internet it floods others on behalf of forged sources`,
  remedies: ['security.allow_only: [your networks]', advice],
});

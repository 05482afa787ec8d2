/** The client's address. */
import {
  createNetworkSet,
  holdsNetwork,
  isNetwork,
  networkFault,
  networkPrefix,
  type Prefix,
} from '../../base/network.js';
import type { Extent, SessionCondition } from '../condition.js';
import { oneText } from '../expected.js';

const expected = oneText('an address or a network such as `10.0.0.0/8`');

interface NetworkExtent extends Extent {
  readonly prefix: Prefix;
}

function networkExtent(network: string): NetworkExtent {
  const prefix = networkPrefix(network);
  return { prefix, includes: (narrow) => holdsNetwork(prefix, narrow.prefix) };
}

export const source: SessionCondition<string, string> = {
  options: (z) =>
    z
      .string({ error: expected })
      .refine(isNetwork, {
        error({ input }) {
          const fault = networkFault(String(input));
          return fault === null ? expected({ input }) : `${expected({ input })}: ${fault}`;
        },
      })
      .meta({
        description: 'Address of the client, or a network that holds it',
        'x-values': 'address or network',
      }),
  reads: 'source',
  extent: networkExtent,
  compile: (network) => network,
  create(network) {
    const contains = createNetworkSet([network]);
    return (session) => (contains(session.source) ? 'yes' : 'no');
  },
  key: (network) => ({ kind: 'source', networks: [network] }),
};

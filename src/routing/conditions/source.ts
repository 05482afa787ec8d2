/** The client's address. */
import { coversNetworks, createNetworkSet, isNetwork, networkFault } from '../../base/network.js';
import type { SessionCondition, Zod } from '../condition.js';
import { oneText } from '../expected.js';

const expected = oneText('an address or a network such as `10.0.0.0/8`');

const network = (z: Zod) =>
  z.string({ error: expected }).refine(isNetwork, {
    error({ input }) {
      const fault = networkFault(String(input));
      return fault === null ? expected({ input }) : `${expected({ input })}: ${fault}`;
    },
  });

export const source: SessionCondition<readonly string[], readonly string[]> = {
  options: (z) =>
    z
      .array(network(z), { error: 'expected a list of networks such as `["10.0.0.0/8"]`' })
      .nonempty({ error: 'an empty list matches nobody: leave `source` out to match every client' })
      .describe('addresses and networks, any of which holds the client'),
  reads: 'source',
  covers: coversNetworks,
  compile: (networks) => networks,
  create(networks) {
    const contains = createNetworkSet(networks);
    return (session) => (contains(session.source) ? 'yes' : 'no');
  },
  key: (networks) => ({ kind: 'source', networks }),
};

/** `forwards[]`: ports that are passed on without a look at what clients say. */
import { z } from 'zod';
import { destinationFault, parseDestination } from '../../base/address.js';
import { listenAddress } from './addresses.js';
import { choice, expecting, form, mapping, text, unknownKey } from './fields.js';
import { admission } from './listeners.js';
import { endpointAt, upstreamOf } from './upstreams.js';

const DESTINATION =
  'an address such as `10.0.0.7:3478`, `10.0.0.7` (which keeps the port), `10.0.0.7:10000-10099`, `[::1]:80` or `unix:/run/a.sock`';

const TARGET =
  '`host:port`, several with commas or as a list, a `host` whose ports are those of `listen`, the name of an upstream; or an upstream of its own, with options as in `upstreams`';

const destination = form(
  'Where it is',
  DESTINATION,
  (name: string) => {
    const to = parseDestination(name);
    return to && { name, to };
  },
  destinationFault,
);

const endpoint = endpointAt(destination);
const ownUpstream = upstreamOf(endpoint, '{ endpoints: ["10.0.0.7:3478"] }');

const target = z
  .union([z.string(), z.array(endpoint, expecting(TARGET)).nonempty(), ownUpstream], expecting(TARGET))
  .meta({ description: 'Where its sessions go', 'x-values': TARGET, 'x-like': 'upstreams.NAME' });

const shape = {
  name: text(
    'Its name in logs and metrics, where it stands for a listener and an upstream; a port range names each `NAME:PORT`. Without it, the address as it is written',
    'name',
  ).optional(),
  listen: listenAddress('Where to listen, as `listeners[].address`'),
  scheme: choice(['tcp', 'udp', 'tcp+udp'], 'What to forward').default('tcp'),
  target,
  ...admission,
};

/** What is said of the upstream stands in `target`, beside its endpoints. */
function wrongKey(key: string): string {
  if (!Object.hasOwn(ownUpstream.shape, key)) return unknownKey(key, Object.keys(shape));
  return `is said of the target: write \`target: { endpoints: […], ${key}: … }\``;
}

export const forward = mapping(shape, '{ listen: 7878, target: "10.0.0.7:3478" }', wrongKey);

export type ForwardEntry = z.output<typeof forward>;
export type ForwardEndpoint = z.output<typeof endpoint>;

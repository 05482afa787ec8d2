/** Schema fields for addresses. */
import { z } from 'zod';
import { addressFault, listenFault, parseEndpoint, parseListen } from '../../base/address.js';
import { isNetwork, networkFault, UNIX_PEERS } from '../../base/network.js';
import { expectedGot, withFault } from '../messages.js';
import { expecting, form, list } from './fields.js';

const LISTEN =
  'an address such as `:9090`, `127.0.0.1:9090`, `[::]:9090`, `9000-9010`, `unix:/run/a.sock` or `unix:@name`';
const ENDPOINT =
  'an address such as `10.0.0.5:80`, `web:80`, `[::1]:80`, `unix:/run/a.sock`, `srv:_redis._tcp.example` or `service:orders`';
/** Where a session may go, for the reference. */
export const TARGET = 'name of an upstream, `reset`, `close`, `drop` or `tarpit`';
const NETWORK = 'an address or a network such as `10.0.0.0/8`';

/** One address per socket; several for a port range. */
export function listenAddress(meaning: string) {
  const wrong = {
    error: ({ input }: { input?: unknown }) =>
      withFault(expectedGot(LISTEN, input), typeof input === 'number' ? listenFault(String(input)) : null),
  };
  const written = form(meaning, LISTEN, parseListen, listenFault);
  const port = z.int(wrong).min(0, wrong).max(65_535, wrong).transform(String).pipe(written);
  return z.union([written, port], expecting(LISTEN)).meta({
    description: meaning,
    'x-values': 'address with a port or a port range',
  });
}

/** An endpoint's address with its text, which identifies the endpoint. */
export function endpointAddress(meaning: string) {
  const parse = (name: string) => {
    const address = parseEndpoint(name);
    return address === null ? null : { name, address };
  };
  return form(meaning, ENDPOINT, parse, addressFault);
}

const SOCKET_MODE = 'permissions in octal such as `0660`';

/** Always octal: `0660`, `0o660`, `660` or `"0660"`. */
export function socketMode(meaning: string) {
  const digits = z.union([z.string(), z.int().transform(String)], expecting(SOCKET_MODE));
  const read = (text: string) => /^(?:0o?)?([0-7]{3})$/.exec(text)?.[1];
  const schema = digits.transform((text, context) => {
    const octal = read(text);
    if (octal !== undefined) return Number.parseInt(octal, 8);
    context.issues.push({ code: 'custom', input: text, message: expectedGot(SOCKET_MODE, text) });
    return z.NEVER;
  });
  return schema.meta({ description: meaning, 'x-values': SOCKET_MODE });
}

/** Adds the specific reason, if known, to `expected`. */
function networkError(expected: string) {
  return ({ input }: { input?: unknown }): string => {
    return withFault(expectedGot(expected, input), typeof input === 'string' ? networkFault(input) : null);
  };
}

/** Clients and balancers by their address; those of Unix sockets have none. */
export function peers(meaning: string) {
  const expected = `${NETWORK}, or \`${UNIX_PEERS}\``;
  const peer = z
    .string(expecting(expected))
    .refine((text) => text === UNIX_PEERS || isNetwork(text), { error: networkError(expected) });
  return list(peer, meaning, `addresses and networks; \`${UNIX_PEERS}\` on a unix socket`);
}

export function networks(meaning: string) {
  const network = z.string(expecting(NETWORK)).refine(isNetwork, { error: networkError(NETWORK) });
  return list(network, meaning, 'addresses and networks');
}

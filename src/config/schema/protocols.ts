/** `protocols[]`: protocols to recognise, and their targets. */
import { z } from 'zod';
import { builtinHandlers } from '../../handlers/index.js';
import { choice, expecting, integer, list, mapping, text } from './fields.js';
import { endpoint, upstream } from './upstreams.js';

/** Signatures are limited by the default of `identify_max_bytes`. */
const SIGNATURE_BYTES_MAX = 65_536;

/** The DFA has a state per byte before `start_bytes`; the rest of its limit is for the bytes themselves. */
const OFFSET_MAX = 16_384;

const HEX = 'bytes in hexadecimal such as `aa55`';
const hex = z.string(expecting(HEX)).regex(/^(?:[0-9A-Fa-f]{2})+$/, expecting(HEX));

const NAME = 'a name of 1 to 64 letters, digits, `.`, `_`, `-` and `/`, a letter or digit first';
const name = z.string(expecting(NAME)).regex(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,63}$/, expecting(NAME));

const TARGET =
  '`host:port`, several with commas or as a list, the name of an upstream, `reset`, `close`, `drop` or `tarpit`; or an upstream of its own, with options as in `upstreams`';

const target = z
  .union([z.string(), z.array(endpoint, expecting(TARGET)).nonempty(), upstream], expecting(TARGET))
  .meta({
    description: 'Where its sessions go. Without `target` and `handler` it is routed by `routes` alone',
    'x-values': TARGET,
    'x-like': 'upstreams.NAME',
  });

export const protocol = mapping(
  {
    name: name.meta({
      description: 'A built-in, in any letter case, or the name of a custom protocol',
      'x-values': NAME,
    }),
    target: target.optional(),
    handler: text(
      'Serve it in this process instead: default export `(socket, session) => void`',
      `module path relative to this file, or ${builtinHandlers.map((name) => `\`${name}\``).join(', ')}`,
    ).optional(),
    priority: integer(
      '1 ranks first; without one a protocol ranks after all that have one',
      1,
      1_000_000,
    ).optional(),
    transport: choice(
      ['tcp', 'udp', 'tcp+udp'],
      'Of a custom protocol: whether its first bytes are those of a connection, of a datagram (which is looked at as a whole), or of either. Default `tcp`',
    ).optional(),
    start_bytes: list(hex, 'Any one of these at `offset`', HEX).nonempty().optional(),
    offset: integer('Where `start_bytes` begin', 0, OFFSET_MAX).optional(),
    contains: list(hex, 'Any one of these, anywhere in the first `identify_min_bytes`', HEX).optional(),
    regex: list(
      z.string(expecting('a regular expression')),
      'Any one of these, over bytes, from the first: linear time',
      'regular expressions that start with `^`',
    )
      .nonempty()
      .optional(),
    min_bytes: integer(
      'No answer before so many bytes; of a datagram: no shorter one',
      0,
      SIGNATURE_BYTES_MAX,
    ).optional(),
    max_bytes: integer(
      'No match once more bytes have arrived; of a datagram: no longer one',
      1,
      SIGNATURE_BYTES_MAX,
    ).optional(),
    validator: text(
      'Settles what the other keys have matched: default export `(bytes: Uint8Array) => "match" | "no" | "more"`',
      'module path relative to this file',
    ).optional(),
  },
  '{ name: SSH, target: "10.0.0.5:22" }',
);

export type ProtocolEntry = z.output<typeof protocol>;

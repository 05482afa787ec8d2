/** `upstreams.NAME.via`: a proxy, or several in their order; each a URL, or a mapping of it and how its TLS is verified. */
import { z } from 'zod';
import type { Hop } from '../../../model/via.js';
import { readHop } from '../../../via/url.js';
import { expecting, mapping, oneOrMore, text } from '../fields.js';

const URL = 'the URL of a proxy such as `http://user:password@proxy:3128` or `socks5://proxy`';
const example = '{ url: "https://proxy.example:3129", ca: ./proxy-ca.pem }';
const SERVER_NAME = 'a name such as `proxy.example`';
const NAME = /^(?=.{1,253}$)[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/;

/** What is wrong is said without the URL, which may hold a password. */
const url = z
  .string(expecting(URL))
  .transform((written, context): Hop => {
    const read = readHop(written);
    if ('hop' in read) return read.hop;
    context.issues.push({ code: 'custom', input: '', message: `expected ${URL}: ${read.fault}` });
    return z.NEVER;
  })
  .meta({
    description:
      'Where the proxy is. `http`, `https`: CONNECT, in the latter case in TLS. `socks5` (`socks5h` is the same), `socks4a`: port 1080 unless it says another. User and password are percent-encoded',
    'x-values': URL,
  });

const detailed = mapping(
  {
    url,
    ca: text(
      'PEM file of the authorities that are trusted for its certificate; without it those that Node.js brings, and those of NODE_EXTRA_CA_CERTS. It is read with the configuration',
      'a path',
    ).optional(),
    server_name: z.string(expecting(SERVER_NAME)).regex(NAME, expecting(SERVER_NAME)).optional().meta({
      description: "Name to ask for (SNI), which its certificate must hold; without it the URL's host",
      'x-values': SERVER_NAME,
    }),
  },
  example,
);

const hop = z.union(
  [url.transform((place) => ({ url: place, ca: undefined, server_name: undefined })), detailed],
  expecting(`${URL}, or a mapping such as \`${example}\``),
);

export const via = oneOrMore(
  hop,
  'Reach the endpoints [through a proxy](via.md), or through several one after the other. Names of endpoints are looked up by the last one',
  `${URL}, or a mapping`,
).optional();

export type WrittenVia = NonNullable<z.output<typeof via>>;

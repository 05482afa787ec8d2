/** `upstreams.NAME.proxy_protocol`: a version, or a mapping of it and what else the header says. */
import { z } from 'zod';
import { type ProxyProtocolOptions, proxyTlvs } from '../../../model/upstream-options.js';
import { choice, expecting, list, mapping } from '../fields.js';

const versions = ['off', 'v1', 'v2'] as const;
const names = versions.map((name) => `\`${name}\``).join(', ');
const example = '{ version: v2, tlvs: [authority, unique_id] }';

const plain = z
  .enum(versions, expecting(`${names}, or a mapping such as \`${example}\``))
  .transform((version): ProxyProtocolOptions => ({ version, tlvs: [] }));

const detailed = mapping(
  {
    version: choice(versions, 'As `proxy_protocol` by itself').default('v2'),
    tlvs: list(
      choice(proxyTlvs, 'What the header says beside the addresses'),
      "What the header says beside the addresses, in version 2. `alpn`: the application protocol that the client's TLS hello asks for first. `authority`: the name that the client asks for, of its hello (SNI) or else its request (host). `unique_id`: the session's id, which is `session` in the access log. `crc32c`: a checksum of the header",
      proxyTlvs.join(', '),
    )
      .refine((tlvs) => new Set(tlvs).size === tlvs.length, { error: 'one of them is listed twice' })
      .default([]),
  },
  example,
).refine(({ version, tlvs }) => version === 'v2' || tlvs.length === 0, {
  path: ['tlvs'],
  error: 'only version 2 has TLVs: write `version: v2`, or leave `tlvs` out',
});

export const proxyProtocol = z
  .union([plain, detailed], expecting(`${names}, or a mapping such as \`${example}\``))
  .prefault('off')
  .meta({
    description:
      "PROXY header that tells the endpoint who the client is, before the session's first byte, or before each datagram of a flow (of version 2 always): [PROXY headers](operations.md#proxy-headers). The endpoint must expect it. Health checks begin with one that says that they are nobody's (LOCAL, UNKNOWN)",
    'x-values': `${names}, or a mapping`,
  });

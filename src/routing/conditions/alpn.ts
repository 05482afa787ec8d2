/** An application protocol offered in a TLS hello (RFC 7301). */
import { plainName } from '../../base/host-pattern.js';
import type { SessionCondition } from '../condition.js';
import { oneText } from '../expected.js';
import { testFact } from '../fact.js';

const EXPECTED = 'the name of an application protocol such as `h2`';

export const alpn: SessionCondition<string, string> = {
  options: (z) =>
    z
      .string({ error: oneText(EXPECTED) })
      .min(1, { error: oneText(EXPECTED) })
      .meta({
        description: 'TLS application protocol among those offered, e.g. `h2`',
        'x-values': 'name of an application protocol',
      }),
  reads: 'facts',
  compile: (name) => name,
  create: (name) => (session) => testFact(session, 'alpn', (offered) => offered.includes(name)),
  key: (name) => ({ kind: 'fact', fact: 'alpn', names: [{ name: plainName(name), below: false }] }),
};

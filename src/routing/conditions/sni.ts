/** The server name in a TLS hello (RFC 6066 section 3), or in the PROXY header of a balancer that has read it. */
import { createNameTest, nameKey } from '../../base/host-pattern.js';
import type { SessionCondition } from '../condition.js';
import { announcedName, testName } from '../fact.js';
import { nameExtent, namePattern } from '../name-pattern.js';

export const sni: SessionCondition<string, string> = {
  options: (z) => namePattern(z, 'TLS server name; `*.example.com` stands for every name below example.com'),
  reads: 'facts',
  extent: nameExtent,
  compile: (pattern) => pattern.toLowerCase(),
  create(pattern) {
    const matches = createNameTest(pattern);
    return (session) => testName(session, 'sni', matches);
  },
  key: (pattern) => ({ kind: 'fact', fact: 'sni', also: [announcedName], names: [nameKey(pattern)] }),
};

/** The server name in a TLS hello (RFC 6066 section 3), or in the PROXY header of whoever has read that. */
import type { Condition } from '../condition.js';
import { announcedName, testName } from '../fact.js';
import { createNameTest, nameKey, namePattern } from '../name-pattern.js';

export const sni: Condition<string, string> = {
  options: namePattern('TLS server name; `*.example.com` stands for every name below example.com'),
  reads: 'facts',
  compile: (pattern) => pattern.toLowerCase(),
  create(pattern) {
    const matches = createNameTest(pattern);
    return (session) => testName(session, 'sni', matches);
  },
  key: (pattern) => ({ kind: 'fact', fact: 'sni', also: [announcedName], names: [nameKey(pattern)] }),
};

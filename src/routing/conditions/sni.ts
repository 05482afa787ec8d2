/** The server name in a TLS hello (RFC 6066 section 3). */
import type { Condition } from '../condition.js';
import { testFact } from '../fact.js';
import { createNameTest, namePattern } from '../name-pattern.js';

export const sni: Condition<string, string> = {
  options: namePattern('TLS server name; `*.example.com` stands for every name below example.com'),
  reads: 'facts',
  compile: (pattern) => pattern.toLowerCase(),
  create(pattern) {
    const matches = createNameTest(pattern);
    return (session) => testFact(session, session.facts.sni, matches);
  },
};

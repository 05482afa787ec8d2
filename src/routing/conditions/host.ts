/** The host that an HTTP request names, or the PROXY header before it. */
import type { Condition } from '../condition.js';
import { announcedName, testName } from '../fact.js';
import { createNameTest, nameKey, namePattern } from '../name-pattern.js';

export const host: Condition<string, string> = {
  options: namePattern(
    'Host, without port, that a request names: HTTP/1, HTTP/2, gRPC, and whatever else has the fact; `*.example.com` as for `sni`',
  ),
  reads: 'facts',
  compile: (pattern) => pattern.toLowerCase(),
  create(pattern) {
    const matches = createNameTest(pattern);
    return (session) => testName(session, 'host', matches);
  },
  key: (pattern) => ({ kind: 'fact', fact: 'host', also: [announcedName], names: [nameKey(pattern)] }),
};

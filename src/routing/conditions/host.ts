/** The host of an HTTP request, the name of a DNS question, or the authority of the PROXY header before it. */
import { createNameTest, nameKey } from '../../base/host-pattern.js';
import type { SessionCondition } from '../condition.js';
import { announcedName, testName } from '../fact.js';
import { nameExtent, namePattern } from '../name-pattern.js';

export const host: SessionCondition<string, string> = {
  options: (z) =>
    namePattern(
      z,
      'Host, without port, that a request names: HTTP/1, HTTP/2, gRPC, a DNS question, and whatever else has the fact; `*.example.com` as for `sni`',
    ),
  reads: 'facts',
  extent: nameExtent,
  compile: (pattern) => pattern.toLowerCase(),
  create(pattern) {
    const matches = createNameTest(pattern);
    return (session) => testName(session, 'host', matches);
  },
  key: (pattern) => ({ kind: 'fact', fact: 'host', also: [announcedName], names: [nameKey(pattern)] }),
};

/** The path of a request: HTTP/1, HTTP/2, gRPC (`/package.Service/Method`), and whatever else has the fact. */
import type { Extent, KeyName, RouteSession, SessionCondition } from '../condition.js';
import { oneText } from '../expected.js';
import { testFact } from '../fact.js';
import { requestPath } from '../request-path.js';

/** Segments that every endpoint reads alike. */
const segment = "(?!\\.{1,2}(?:/|$))[A-Za-z0-9\\-._~!$&'()+,=:@]+";
const PATTERN = new RegExp(`^(?:/${segment})*(?:/\\*?)?$`);
const PATTERN_MAX = 512;

const expected = oneText(
  'a path such as `/login`, or `/api/*` for all below it, without `%`, `;`, `?` and segments that are empty or dots',
);

/** `/api/*` → `/api`, below. */
function keyName(pattern: string): KeyName {
  const below = pattern.endsWith('/*');
  return { name: below ? pattern.slice(0, -2) : pattern, below };
}

function createPathTest(pattern: string): (path: string) => boolean {
  const { name, below } = keyName(pattern);
  const start = `${name}/`;
  return below ? (path) => path.startsWith(start) : (path) => path === name;
}

interface PathExtent extends Extent {
  readonly text: string;
}

function pathExtent(text: string): PathExtent {
  const includes = createPathTest(text);
  return { text, includes: (narrow) => narrow.text === text || includes(narrow.text) };
}

export const path: SessionCondition<string, string> = {
  options: (z) =>
    z
      .string({ error: expected })
      .min(1, { error: expected })
      .max(PATTERN_MAX, { error: expected })
      .regex(PATTERN, { error: expected })
      .meta({
        description:
          "Path of a connection's first request, without query, letter case kept: `/login` is that path alone, `/api/*` every path that begins with `/api/`. Not a guard: [paths](operations.md#paths)",
        'x-values': 'path, or path and `/*`',
      }),
  reads: 'facts',
  extent: pathExtent,
  compile: (pattern) => pattern,
  create(pattern) {
    const matches = createPathTest(pattern);
    return (session) => testPath(session, matches);
  },
  key: (pattern) => ({ kind: 'fact', fact: 'path', form: 'path', names: [keyName(pattern)] }),
};

function testPath(session: RouteSession, matches: (path: string) => boolean) {
  const present = testFact(session, 'path', () => true);
  if (present !== 'yes') return present;
  const { path: target = '', method } = session.facts;
  const read = requestPath(target);
  if (read === 'none' || (method === 'CONNECT' && isAuthority.test(target))) return 'no';
  if (read === 'doubtful') return 'refuse';
  if (!matches(read.meant)) return 'no';
  return matches(read.sent) ? 'yes' : 'refuse';
}

/** The target of CONNECT is no path (RFC 9112 section 3.2.3). */
const isAuthority = /^[A-Za-z0-9\-._~[\]:]+$/;

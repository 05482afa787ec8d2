/** Which values of a configuration are secret, and what may be said of them. */
import type { Path } from './path.js';

export const VEIL = '***';

/** Patterns as in `findAll`. */
export const secretKeys = [
  'admin.token',
  'connect_proxy.users.*',
  'connect_proxy.users.*.hash',
  'distributed.password',
  'distributed.cluster_key',
  'kcp.*.secret',
  'kcp.*.kcptun.key',
  'upstreams.*.health_check.password',
  'protocols.[].target.health_check.password',
  'forwards.[].target.health_check.password',
] as const;

/** URLs, whose user and password are secret. */
export const secretUrls = ['upstreams.*', 'protocols.[].target', 'forwards.[].target'].flatMap((upstream) =>
  ['via', 'via.url', 'via.[]', 'via.[].url'].map((key) => `${upstream}.${key}`),
);

/** A URL up to its host; the scheme is kept. */
export const CREDENTIALS = /^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i;

/** User and password before a host, wherever someone has written them: `http://user:pw@host`, `user:pw@host`. */
const WRITTEN_CREDENTIALS = /(^|[\s"'`/])[^\s"'`/:@]*:[^\s"'`/@]+@/g;

/** The same behind a scheme, up to the last `@`: a password with characters that no URL has makes it none, and is one all the same. */
const URL_CREDENTIALS = /([a-z][a-z0-9+.-]*:\/\/).*@/gis;
const URL_QUERY = /([a-z][a-z0-9+.-]*:\/\/[^?\s]*)\?\S+/gi;

export const withoutCredentials = (text: string): string =>
  text
    .replace(URL_CREDENTIALS, `$1${VEIL}@`)
    .replace(WRITTEN_CREDENTIALS, `$1${VEIL}@`)
    .replace(URL_QUERY, `$1?${VEIL}`);

/** A message about a value at `path`: of a secret it says what is expected, and not what was found. */
export function withoutSecret(path: Path, message: string): string {
  if (!secretKeys.some((pattern) => isAt(path, pattern))) return message;
  const said = message.replace(/, got .*$/s, '');
  return said.includes('`*') ? 'begins with `*`, which stands for an anchor: quote it if it is text' : said;
}

/** Whether a path is the one of a pattern. */
function isAt(path: Path, pattern: string): boolean {
  const parts = pattern.split('.');
  return (
    parts.length === path.length &&
    parts.every((part, index) => {
      if (part === '[]') return typeof path[index] === 'number';
      return part === '*' || part === path[index];
    })
  );
}

/**
 * The path of a request target (RFC 9112 section 3.2, RFC 9113 section 8.3.1). It is not normalised, because endpoints
 * differ in how they do: a path has two readings, and where a rule holds for one of them alone nobody can say whether
 * the endpoint serves what the rule is about.
 */
import { isUtf8 } from 'node:buffer';

export interface RequestPath {
  /** As sent, without query. */
  readonly sent: string;
  /**
   * As the most lenient endpoint may read it: percent-encoding decoded, `\` as `/`, path parameters (`;…`) removed.
   * A pattern, which has none of these, that matches `sent` matches this too.
   */
  readonly meant: string;
}

/** `none`: the target has no path (`*`). `doubtful`: endpoints read it in more ways than two. */
export type PathAnswer = RequestPath | 'none' | 'doubtful';

const schemeAndAuthority = /^[a-z][a-z0-9+.-]*:\/\/[^/?#\\]*/i;
/** Unreserved, sub-delims but `;`, `:`, `@` (RFC 3986 section 3.3). */
const plainPath = /^[A-Za-z0-9\-._~!$&'()*+,=:@/]*$/;
/** Empty or of dots, followed by another or, for dots, the last one. */
const oddSegment = /\/(?:\/|\.{1,2}(?:\/|$))/;
/** Some endpoints cut there. */
const controls = /[^\P{Cc}\x80-\x9f]/u;
const badEscape = /%(?![0-9a-f]{2})/i;
const escapes = /%([0-9a-f]{2})/gi;

/** Many routes ask about one session in turn. */
let last: { readonly target: string; readonly answer: PathAnswer } = { target: '*', answer: 'none' };

export function requestPath(target: string): PathAnswer {
  if (last.target !== target) last = { target, answer: read(target) };
  return last.answer;
}

function read(target: string): PathAnswer {
  if (target === '*') return 'none';
  const authority = target.startsWith('/') ? '' : (schemeAndAuthority.exec(target)?.[0] ?? '');
  const [named = ''] = target.slice(authority.length).split('?', 1);
  const sent = named === '' && authority !== '' ? '/' : named;
  if (!sent.startsWith('/') || oddSegment.test(sent)) return 'doubtful';
  return plainPath.test(sent) ? { sent, meant: sent } : readLeniently(sent);
}

function readLeniently(sent: string): PathAnswer {
  // A space ends the target for some endpoints; a fragment is never sent.
  if (/[ #]/.test(sent) || badEscape.test(sent)) return 'doubtful';
  const decoded = sent.replace(escapes, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
  // Overlong UTF-8 is `/` or `.` for some decoders; a second escape, for those that decode twice.
  if (controls.test(decoded) || /%[0-9a-f]{2}/i.test(decoded) || !isUtf8(Buffer.from(decoded, 'latin1')))
    return 'doubtful';
  const meant = decoded.replaceAll('\\', '/').replaceAll(/;[^/]*/g, '');
  return oddSegment.test(meant) ? 'doubtful' : { sent, meant };
}

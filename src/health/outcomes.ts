/** Outcomes that many checks give, and the words for a code of an endpoint. */
import type { Outcome } from './check.js';

export const well: Outcome = { well: true };

export const unwell = (why: string): Outcome => ({ well: false, why });

/** The bytes are of another protocol, or of none. */
export const speaksNo = (protocol: string): Outcome => unwell(`does not answer in ${protocol}`);

/** What a code means; `other` has the words for one that is not listed. */
export const meaningOf = <Code extends string | number>(
  meanings: Readonly<Record<Code, string>>,
  code: Code,
  other: string,
): string => (Object.hasOwn(meanings, code) ? meanings[code] : other);

/** The host that a request is for, from every place that may name it (RFC 9110 section 7.2). */
import type { Facts, FactsAnswer } from '../model/facts.js';
import { withFacts } from './with-facts.js';

/** A name or an address, optionally with a port. Anything else is parsed differently by different endpoints. */
const plainAuthority = /^(?:\[[0-9A-Fa-f:.]+\]|[^[\]:@/?#\\\s]*)(?::[0-9]*)?$/;

/**
 * Adds the fact `host`, taken from the first authority. It is doubtful when an endpoint may read another host: the
 * authorities differ, or one is malformed.
 */
export function hostFacts(facts: Facts, authorities: readonly string[]): FactsAnswer {
  const [first] = authorities;
  if (first === undefined) return { verdict: 'facts', facts };
  const host = hostOf(first);
  const isCertain = authorities.every((each) => plainAuthority.test(each) && hostOf(each) === host);
  const answer = { verdict: 'facts', facts: withFacts(facts, { host }) } as const;
  return isCertain ? answer : { ...answer, doubtful: ['host'] };
}

/** Lower case, without port; an IPv6 literal without brackets. */
export function hostOf(authority: string): string {
  const end = authority.startsWith('[') ? authority.indexOf(']') : authority.lastIndexOf(':');
  const host = end < 0 ? authority : authority.slice(0, end);
  return (host.startsWith('[') ? host.slice(1) : host).toLowerCase();
}

/** Whom a request is for, in all the places where it may say so (RFC 9110 section 7.2). */
import type { Facts, FactsAnswer } from '../model/facts.js';

/** A name or an address, and perhaps a port: endpoints do not agree on what else is one. */
const plainAuthority = /^(?:\[[0-9A-Fa-f:.]+\]|[^[\]:@/?#\\\s]*)(?::[0-9]*)?$/;

/**
 * The facts with the host that the authorities name, the first of them counting most. It is doubtful where an endpoint
 * may come to another one: they are not all the same, or one is no authority.
 */
export function hostFacts(facts: Facts, authorities: readonly string[]): FactsAnswer {
  const [first] = authorities;
  if (first === undefined) return { verdict: 'facts', facts };
  const host = hostOf(first);
  const isCertain = authorities.every((each) => plainAuthority.test(each) && hostOf(each) === host);
  const answer = { verdict: 'facts', facts: { ...facts, host } } as const;
  return isCertain ? answer : { ...answer, doubtful: ['host'] };
}

/** Lower case, without the port; an IPv6 literal without its brackets. */
export function hostOf(authority: string): string {
  const end = authority.startsWith('[') ? authority.indexOf(']') : authority.lastIndexOf(':');
  const host = end < 0 ? authority : authority.slice(0, end);
  return (host.startsWith('[') ? host.slice(1) : host).toLowerCase();
}

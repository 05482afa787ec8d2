/**
 * The classifier in TypeScript: the oracle in tests of native/classifier, and the engine of `anyport identify`. Naive
 * on purpose: it steps every protocol over every byte and compares all of them after each.
 */
import type { Automaton, ClassifierTables, Decision, Dfa, Settlement } from '../model/classifier.js';
import type { Verdict } from '../model/protocol.js';
import { evaluateChecks } from './dfa/checks.js';
import { accept, dead, start } from './dfa/flatten.js';

export interface Matcher {
  /** Feeds the next bytes of the session. */
  advance(bytes: Uint8Array): Decision;
  /** The silence that the undecided protocol waits for (`Settlement.quietMs`) is over. */
  quiet(): Decision;
  /** End of input: the best match so far, or unknown. */
  finish(): Decision;
}

export interface MatcherOptions {
  /** False: only routable protocols are candidates. Default true. */
  readonly nameUnrouted?: boolean;
  /** Called for each protocol whose signature has matched. Default: the signature suffices. */
  readonly confirm?: (protocol: number, prefix: Uint8Array) => Settlement;
  /** Whether a protocol decided by a silence is accepted. Default: no. */
  readonly settlesQuietly?: (protocol: number) => boolean;
}

/** Position in one DFA of a candidate. */
interface Walker {
  readonly dfa: Dfa;
  state: number;
  verdict: Verdict;
}

interface Candidate {
  readonly automaton: Automaton;
  readonly walkers: readonly Walker[];
  verdict: Verdict;
}

export function createMatcher(tables: ClassifierTables, options: MatcherOptions = {}): Matcher {
  const { nameUnrouted = true, confirm = always, settlesQuietly = () => false } = options;
  const automata = nameUnrouted ? tables.automata : tables.automata.slice(0, tables.routable);
  const candidates = automata.map(createCandidate);
  let prefix = Buffer.alloc(0);
  /** Bytes stepped over; fewer than received once the signatures have decided. */
  let seen = 0;
  /** Prefix length at which confirmations refused a match. */
  let rejectedAt = 0;
  let ended = false;
  let quiet = false;

  const look = (): Decision => decide(candidates, Math.max(seen, rejectedAt));
  const walk = (): Decision => {
    let decision = look();
    for (; decision.verdict === 'more' && seen < prefix.length; decision = look()) {
      seen++;
      for (const candidate of candidates) step(candidate, prefix.subarray(0, seen));
    }
    if (decision.verdict !== 'more' || !ended) return decision;
    for (const candidate of candidates) settle(candidate, prefix);
    return look();
  };
  const run = (): Decision => {
    for (;;) {
      const decision = walk();
      const candidate = candidates[decision.protocol];
      if (!candidate) return decision;
      const { verdict, at, quietMs } = confirm(decision.protocol, prefix);
      const settled = quiet && verdict === 'more' && quietMs !== undefined;
      if (settled && settlesQuietly(decision.protocol)) return { ...decision, decidedAt: prefix.length };
      if (verdict === 'match') return { ...decision, decidedAt: Math.max(decision.decidedAt, at) };
      if (verdict === 'more' && !ended && !settled)
        return { verdict, protocol: -1, decidedAt: prefix.length };
      candidate.verdict = 'no';
      rejectedAt = Math.max(rejectedAt, verdict === 'no' ? at : prefix.length);
    }
  };
  return {
    advance(bytes) {
      prefix = Buffer.concat([prefix, bytes]);
      return run();
    },
    quiet() {
      quiet = true;
      const decision = run();
      quiet = false;
      return decision;
    },
    finish() {
      ended = true;
      return run();
    },
  };
}

const always = (): Settlement => ({ verdict: 'match', at: 0 });

function createCandidate(automaton: Automaton): Candidate {
  const walkers = automaton.dfas.map((dfa): Walker => ({ dfa, state: start, verdict: 'more' }));
  return { automaton, walkers, verdict: 'more' };
}

/** `prefix` is one byte longer than in the previous call. */
function step(candidate: Candidate, prefix: Buffer): void {
  if (candidate.verdict !== 'more') return;
  for (const walker of candidate.walkers) stepWalker(walker, prefix);
  candidate.verdict = verdictOf(candidate, prefix, false);
}

function stepWalker(walker: Walker, prefix: Buffer): void {
  if (walker.verdict !== 'more') return;
  const { classes, classCount, transitions, maxBytes } = walker.dfa;
  const byteClass = classes[prefix.at(-1) ?? 0] ?? 0;
  walker.state = transitions[walker.state * classCount + byteClass] ?? dead;
  if (walker.state === accept) walker.verdict = 'match';
  else if (walker.state === dead || prefix.length >= maxBytes) walker.verdict = 'no';
}

/** End of input: an undecided candidate is ruled out. */
function settle(candidate: Candidate, prefix: Buffer): void {
  if (candidate.verdict !== 'more') return;
  candidate.verdict = verdictOf(candidate, prefix, true) === 'match' ? 'match' : 'no';
}

/** The first part of the signature without a match decides. */
function verdictOf({ automaton, walkers }: Candidate, prefix: Buffer, ended: boolean): Verdict {
  const waiting = walkers.find(({ verdict }) => verdict !== 'match');
  if (waiting) return waiting.verdict;
  const verdict = evaluateChecks(automaton.checks, prefix, ended);
  return verdict === 'match' && prefix.length < automaton.minBytes ? 'more' : verdict;
}

/** The best candidate not ruled out decides; while it is undecided, so is the session. */
function decide(candidates: readonly Candidate[], at: number): Decision {
  const best = candidates.findIndex(({ verdict }) => verdict !== 'no');
  const verdict = candidates[best]?.verdict;
  if (verdict === 'match') return { verdict: 'match', protocol: best, decidedAt: at };
  return { verdict: verdict === 'more' ? 'more' : 'unknown', protocol: -1, decidedAt: at };
}

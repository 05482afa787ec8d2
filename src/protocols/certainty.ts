/**
 * How certain an identification is, in bits: the probability that random bytes get the name is 2^-bits. Computed
 * exactly for the DFA; estimated by sampling (Monte Carlo) for checks and confirmation.
 */
import { createRandom, type Random } from '../base/random.js';
import type { Automaton, Dfa } from '../model/classifier.js';
import type { Recognizer, Transport } from '../model/protocol.js';
import { compileAutomaton } from './compile.js';
import { evaluateChecks } from './dfa/checks.js';
import { accept, dead, start } from './dfa/flatten.js';
import type { NamedRecognizer } from './index.js';

/** Samples per recognizer; bounds the estimate for checks and confirmation at log2 of it, 15 bits. */
const samples = 32_768;
/** Streams: random bytes appended to an opening, for confirmations to read. */
const tailBytes = 2048;
/** UDP payload of an Ethernet frame (MTU 1500, IPv4). */
const datagramBytesMax = 1472;
/** Stop when the undecided share is below this fraction of the accepted share. */
const negligible = 2 ** -10;
/** Upper bound on iterations of the acceptance probabilities. */
const sweepsMax = 600;
const seed = 1;
/** Stop sampling after this many passes: the share is known well enough. */
const passedEnough = 256;
/** Pool of random bytes from which the tails are cut. */
const noiseBytes = 0x1_0000;

/**
 * Lower bound on the certain bits of a recognizer. Streams: a confirmation that wants more bytes counts as passed.
 * Datagrams: any length up to an Ethernet frame.
 */
export function certainBits(recognizer: NamedRecognizer, transport: Transport): number {
  const automaton = compileAutomaton(recognizer);
  const [dfa] = automaton.dfas;
  if (!dfa) return 0;
  const drawn = acceptedShare(dfa);
  const passed = confirmedShare(automaton, dfa, recognizer, transport);
  return -Math.log2(drawn) - Math.log2(passed);
}

/** Share of random streams that the DFA accepts. */
export function acceptedShare(dfa: Dfa): number {
  const weights = classWeights(dfa);
  let reached = new Map([[start, 1]]);
  let accepted = 0;
  let undecided = 1;
  for (let bytes = 0; bytes < dfa.maxBytes && undecided > accepted * negligible; bytes++) {
    const next = new Map<number, number>();
    for (const [state, share] of reached) {
      weights.forEach((weight, byteClass) => {
        const to = stateAfter(dfa, state, byteClass);
        if (to === accept) accepted += share * weight;
        else if (to !== dead) next.set(to, (next.get(to) ?? 0) + share * weight);
      });
    }
    reached = next;
    undecided = [...next.values()].reduce((sum, share) => sum + share, 0);
  }
  return accepted;
}

/**
 * Share of the openings accepted by the DFA that also pass checks and confirmation; at least one sample counts as
 * passed.
 */
function confirmedShare(
  { checks }: Automaton,
  dfa: Dfa,
  { confirm }: Recognizer,
  transport: Transport,
): number {
  if (checks.length === 0 && !confirm) return 1;
  const random = createRandom(seed);
  const draw = openingsOf(dfa, random);
  const noise = randomBytes(noiseBytes, random);
  let [drawn, passed] = [0, 0];
  for (; drawn < samples && passed < passedEnough; drawn++) {
    const at = random(noiseBytes - tailBytes);
    const bytes = Buffer.concat([draw(), noise.subarray(at, at + restBytes(transport, random))]);
    if (evaluateChecks(checks, bytes, transport === 'udp') === 'no') continue;
    if (passesConfirmation(confirm?.(bytes).verdict, transport)) passed++;
  }
  return Math.max(passed, 1) / drawn;
}

const restBytes = (transport: Transport, random: Random): number =>
  transport === 'tcp' ? tailBytes : random(datagramBytesMax);

/** `more` is final for a datagram: no more bytes follow. */
const passesConfirmation = (verdict: string | undefined, transport: Transport): boolean =>
  verdict !== 'no' && !(verdict === 'more' && transport === 'udp');

function randomBytes(length: number, random: Random): Buffer {
  return Buffer.from(Array.from({ length }, () => random(256)));
}

/** Samples openings that the DFA accepts, with the distribution of random bytes. */
function openingsOf(dfa: Dfa, random: Random): () => Buffer {
  const weights = classWeights(dfa);
  const chances = acceptanceOf(dfa, weights);
  const members = weights.map((_, byteClass) => bytesOf(dfa, byteClass));
  return () => {
    const bytes: number[] = [];
    for (let state = start; state !== accept; ) {
      const choice = choose(dfa, state, { weights, chances, random });
      const of = members[choice] ?? [];
      bytes.push(of[random(of.length)] ?? 0);
      state = stateAfter(dfa, state, choice);
    }
    return Buffer.from(bytes);
  };
}

interface Odds {
  readonly weights: readonly number[];
  readonly chances: Float64Array;
  readonly random: Random;
}

/** Samples the next byte class in proportion to its share of accepted continuations. */
function choose(dfa: Dfa, state: number, { weights, chances, random }: Odds): number {
  let left = (random(0x7fff_ffff) / 0x7fff_ffff) * (chances[state] ?? 0);
  let choice = -1;
  for (const [byteClass, weight] of weights.entries()) {
    const chance = weight * (chances[stateAfter(dfa, state, byteClass)] ?? 0);
    if (chance === 0) continue;
    choice = byteClass;
    left -= chance;
    if (left < 0) break;
  }
  return choice;
}

/** By state: the probability that random bytes lead to accept, by value iteration. */
function acceptanceOf(dfa: Dfa, weights: readonly number[]): Float64Array {
  const states = dfa.transitions.length / dfa.classCount;
  const chances = new Float64Array(states);
  chances[accept] = 1;
  for (let sweep = 0, moved = true; moved && sweep < sweepsMax; sweep++) {
    moved = false;
    for (let state = states - 1; state >= start; state--) {
      const chance = weights.reduce(
        (sum, weight, byteClass) => sum + weight * (chances[stateAfter(dfa, state, byteClass)] ?? 0),
        0,
      );
      moved ||= chance > (chances[state] ?? 0) * (1 + 1e-9);
      chances[state] = chance;
    }
  }
  return chances;
}

const stateAfter = ({ transitions, classCount }: Dfa, state: number, byteClass: number): number =>
  transitions[state * classCount + byteClass] ?? dead;

/** By byte class: its share of the 256 byte values. */
function classWeights(dfa: Dfa): number[] {
  return Array.from({ length: dfa.classCount }, (_, byteClass) => bytesOf(dfa, byteClass).length / 256);
}

function bytesOf({ classes }: Dfa, byteClass: number): number[] {
  return [...classes.keys()].filter((byte) => classes[byte] === byteClass);
}

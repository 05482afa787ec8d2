/**
 * How certain a name is: the bits that random bytes would have to guess to be given it. What the automaton asks for is
 * summed up exactly; what checks and confirmations add is measured on openings that it accepts, drawn by chance.
 */
import { createRandom, type Random } from '../base/random.js';
import type { Automaton, Dfa } from '../model/classifier.js';
import type { Recognizer, Transport } from '../model/protocol.js';
import { compileAutomaton } from './compile.js';
import { evaluateChecks } from './dfa/checks.js';
import { accept, dead, start } from './dfa/flatten.js';
import type { NamedRecognizer } from './index.js';

/** Openings drawn for each recognizer: of what checks and confirmations add, so many bits can be seen at most. */
const samples = 32_768;
/** Of a stream, the bytes behind the opening that a confirmation may look at. */
const tailBytes = 2048;
/** The payload of a datagram that fits into an Ethernet frame. */
const datagramBytesMax = 1472;
/** When less than this share of what was accepted is still undecided, nothing more is worth counting. */
const negligible = 2 ** -10;
/** Sweeps over a DFA's states after which probabilities have settled. */
const sweepsMax = 600;
const seed = 1;
/** So many that pass say enough about their share. */
const passedEnough = 256;
/** What follows an opening is cut out of so many random bytes. */
const noiseBytes = 0x1_0000;

/**
 * The bits of a recognizer in the transport: as many at least. In a stream what a confirmation awaits counts as found;
 * a datagram has any length up to a frame's.
 */
export function certainBits(recognizer: NamedRecognizer, transport: Transport): number {
  const automaton = compileAutomaton(recognizer);
  const [dfa] = automaton.dfas;
  if (!dfa) return 0;
  const drawn = acceptedShare(dfa);
  const passed = confirmedShare(automaton, dfa, recognizer, transport);
  return -Math.log2(drawn) - Math.log2(passed);
}

/** Of random streams, those that the DFA accepts. */
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

/** Of the openings that the DFA accepts, those that checks and confirmation let pass; one at least. */
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
    if (isLetPass(confirm?.(bytes).verdict, transport)) passed++;
  }
  return Math.max(passed, 1) / drawn;
}

const restBytes = (transport: Transport, random: Random): number =>
  transport === 'tcp' ? tailBytes : random(datagramBytesMax);

/** A datagram is all there is. */
const isLetPass = (verdict: string | undefined, transport: Transport): boolean =>
  verdict !== 'no' && !(verdict === 'more' && transport === 'udp');

function randomBytes(length: number, random: Random): Buffer {
  return Buffer.from(Array.from({ length }, () => random(256)));
}

/** Openings that the DFA accepts, as often as they are among random bytes. */
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

/** A class of bytes behind the state, by the share of what follows that is accepted. */
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

/** By state: the share of what may follow that is accepted. */
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

/** By class: its share of all bytes. */
function classWeights(dfa: Dfa): number[] {
  return Array.from({ length: dfa.classCount }, (_, byteClass) => bytesOf(dfa, byteClass).length / 256);
}

function bytesOf({ classes }: Dfa, byteClass: number): number[] {
  return [...classes.keys()].filter((byte) => classes[byte] === byteClass);
}

/**
 * Protocols that get into each other's way: two of equal rank that can both match, so that only their order in the
 * file decides, and one that never wins because a better one takes all that it could match.
 *
 * Only what a signature alone says is certain: a protocol that arithmetic, a confirmation or a validator narrows further
 * is compared as far as that can not matter.
 */
import type { Automaton } from '../model/classifier.js';
import type { Config, ProtocolConfig } from '../model/config.js';
import type { Recognizer } from '../model/protocol.js';
import { compileClassifier } from '../protocols/compile.js';
import { leavesNothing, sharedOpening, shortestOpening } from '../protocols/dfa/overlap.js';
import { protocolById } from '../protocols/index.js';

/** As much of an example as helps to recognise it. */
const EXAMPLE_BYTES_MAX = 24;

interface Ranked {
  readonly config: ProtocolConfig;
  readonly rank: number;
  readonly automaton: Automaton;
  /** Whatever its DFAs accept is it. */
  readonly certain: boolean;
}

/** Sentences for the user. */
export function findAmbiguities({ protocols, listeners }: Config): string[] {
  const ranked = protocols.map(rankedOf);
  const meet = (a: Ranked, b: Ranked) =>
    listeners.some(({ protocols: names }) => names.includes(a.config.name) && names.includes(b.config.name));
  return ranked.flatMap((second, index) => {
    const before = ranked.slice(0, index).filter((first) => first.certain && meet(first, second));
    const first = before.find(({ automaton }) => leavesNothing(automaton, second.automaton));
    return first ? [coveredText(first, second)] : before.flatMap((each) => sharedText(each, second));
  });
}

function rankedOf(config: ProtocolConfig): Ranked {
  const builtIn = config.signature === null ? protocolById(config.id) : undefined;
  const signature = config.signature ?? builtIn?.signature ?? {};
  const { automata } = compileClassifier([{ id: config.id, signature }], 1);
  return {
    config,
    rank: builtIn?.rank ?? 0,
    automaton: automata[0] as Automaton,
    certain: isCertain(config, { ...builtIn, signature }),
  };
}

function isCertain({ validator }: ProtocolConfig, { signature, confirm }: Recognizer): boolean {
  return validator === null && confirm === undefined && (signature.checks ?? []).length === 0;
}

function coveredText(first: Ranked, second: Ranked): string {
  const [a, b] = [first.config.name, second.config.name];
  const example = exampleText(shortestOpening(second.automaton));
  return `protocol \`${b}\` can never win: \`${a}\` ranks before it and matches all that it matches, such as ${example}`;
}

/** Only the order in the file decides between two that nothing else ranks. */
function sharedText(first: Ranked, second: Ranked): string[] {
  const isAlike = first.rank === second.rank && first.config.priority === second.config.priority;
  const shared = isAlike && second.certain ? sharedOpening(first.automaton, second.automaton) : null;
  if (shared === null) return [];
  const [a, b] = [first.config.name, second.config.name];
  const order = `\`${a}\` wins because it comes first: give one of them a better \`priority\``;
  return [`protocols \`${a}\` and \`${b}\` rank alike and both match ${exampleText(shared)}; ${order}`];
}

/** `47 45 54 "GET"`; what can not be printed is a dot. */
function exampleText(bytes: Uint8Array): string {
  const shown = [...bytes.subarray(0, EXAMPLE_BYTES_MAX)];
  const hex = shown.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  const text = shown.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
  return `${hex}${bytes.length > shown.length ? ' …' : ''} "${text}"`;
}

/**
 * Conflicts between protocols: two of equal rank that can match the same bytes, so that file order decides; and one
 * shadowed by a better one.
 *
 * Only signatures are compared. Protocols narrowed by checks, a confirmation or a validator are reported only where
 * these can not change the result.
 */
import type { Automaton } from '../model/classifier.js';
import type { Config, ProtocolConfig } from '../model/config.js';
import type { Recognizer, Transport } from '../model/protocol.js';
import { transportsOf } from '../model/transports.js';
import { compileClassifier } from '../protocols/compile.js';
import { leavesNothing, sharedOpening, shortestOpening } from '../protocols/dfa/overlap.js';
import { protocolById, recognizerOf } from '../protocols/index.js';
import { signatureOver } from '../protocols/planned.js';

/** Upper bound on the example shown. */
const EXAMPLE_BYTES_MAX = 24;

interface Ranked {
  readonly config: ProtocolConfig;
  readonly rank: number;
  readonly automaton: Automaton;
  /** No checks or confirmation: what its DFAs accept is a match. */
  readonly certain: boolean;
}

/** Sentences for the user. */
export function findAmbiguities(config: Config): string[] {
  return [...new Set((['tcp', 'udp'] as const).flatMap((transport) => ambiguitiesOver(transport, config)))];
}

function ambiguitiesOver(transport: Transport, config: Config): string[] {
  const listeners = config.listeners.filter((listener) => transportsOf(listener).includes(transport));
  const ranked = config.protocols
    .filter(({ transports }) => transports.includes(transport))
    .map((protocol) => rankedOf(protocol, transport));
  const meet = (a: Ranked, b: Ranked) =>
    listeners.some(({ protocols: names }) => names.includes(a.config.name) && names.includes(b.config.name));
  return ranked.flatMap((second, index) => {
    const before = ranked.slice(0, index).filter((first) => first.certain && meet(first, second));
    const first = before.find(({ automaton }) => leavesNothing(automaton, second.automaton));
    return first ? [coveredText(first, second)] : before.flatMap((each) => sharedText(each, second));
  });
}

function rankedOf(config: ProtocolConfig, transport: Transport): Ranked {
  const builtIn = config.signature === null ? protocolById(config.id) : undefined;
  const recognizer = builtIn && recognizerOf(builtIn, transport);
  const signature = config.signature
    ? signatureOver(config.signature, transport)
    : (recognizer?.signature ?? {});
  const { automata } = compileClassifier([{ id: config.id, signature }], 1);
  return {
    config,
    rank: builtIn?.rank ?? 0,
    automaton: automata[0] as Automaton,
    certain: isCertain(config, { ...recognizer, signature }),
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

/** Two protocols with equal rank that share an opening. */
function sharedText(first: Ranked, second: Ranked): string[] {
  const isAlike = first.rank === second.rank && first.config.priority === second.config.priority;
  const shared = isAlike && second.certain ? sharedOpening(first.automaton, second.automaton) : null;
  if (shared === null) return [];
  const [a, b] = [first.config.name, second.config.name];
  const order = `\`${a}\` wins because it comes first: give one of them a better \`priority\``;
  return [`protocols \`${a}\` and \`${b}\` rank alike and both match ${exampleText(shared)}; ${order}`];
}

/** `47 45 54 "GET"`; non-printable bytes are dots. */
function exampleText(bytes: Uint8Array): string {
  const shown = [...bytes.subarray(0, EXAMPLE_BYTES_MAX)];
  const hex = shown.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  const text = shown.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
  return `${hex}${bytes.length > shown.length ? ' …' : ''} "${text}"`;
}

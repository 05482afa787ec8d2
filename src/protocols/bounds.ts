/**
 * Upper bounds for facts. Clients choose number and length of names, and a session keeps its facts until its end:
 * routes, logs and handlers get bounded facts from every parser.
 */
import type { Doubtful, Facts, FactsAnswer } from '../model/facts.js';
import type { Protocol, Recognizer } from '../model/protocol.js';

export const factLimits = {
  /** Names per list. */
  namesMax: 64,
  /** UTF-8 bytes per text, and per list in total. */
  bytesMax: 512,
} as const;

/** Wraps the facts parsers of a protocol so that they return bounded facts. */
export function bounded(protocol: Protocol): Protocol {
  const { datagram } = protocol;
  return {
    ...protocol,
    ...boundedFacts(protocol),
    ...(datagram && { datagram: boundedRecognizer(datagram) }),
  };
}

const boundedRecognizer = (recognizer: Recognizer): Recognizer => ({
  ...recognizer,
  ...boundedFacts(recognizer),
});

function boundedFacts({ facts }: Recognizer): Pick<Recognizer, 'facts'> {
  return facts ? { facts: boundedBy(facts) } : {};
}

export const boundedBy =
  (facts: NonNullable<Recognizer['facts']>): NonNullable<Recognizer['facts']> =>
  (bytes, isFull) =>
    boundAnswer(facts(bytes, isFull));

/** A truncated fact is doubtful: the missing part could match a rule. */
export function boundAnswer(answer: FactsAnswer): FactsAnswer {
  const kept: Facts = {};
  const cut: string[] = [];
  for (const name in answer.facts) {
    const value = answer.facts[name];
    kept[name] = boundValue(value);
    if (isCut(value, kept[name]) && !isCutInQuery(name, kept[name])) cut.push(name);
  }
  if (answer.verdict === 'broken' || cut.length === 0) return { ...answer, facts: kept };
  const doubtful: Doubtful = [...(answer.doubtful ?? []), ...cut];
  return { ...answer, facts: kept, doubtful };
}

type Value = Facts[string];

function boundValue(value: Value): Value {
  if (typeof value === 'string') return keep(value, factLimits.bytesMax);
  return typeof value === 'object' ? boundList(value) : value;
}

/** The longest prefix of the list that fits; no name is truncated. */
function boundList(names: readonly string[]): string[] {
  const kept: string[] = [];
  let room = factLimits.bytesMax;
  for (const name of names.slice(0, factLimits.namesMax)) {
    const copy = keep(name, room);
    if (copy.length < name.length) break;
    kept.push(copy);
    room -= Buffer.byteLength(copy);
  }
  return kept;
}

/** Rules look at the path before the query, which is often long. */
const isCutInQuery = (name: string, kept: Value): boolean =>
  name === 'path' && typeof kept === 'string' && kept.includes('?');

function isCut(value: Value, kept: Value): boolean {
  if (typeof value === 'string') return value.length > String(kept).length;
  return typeof value === 'object' && value.length > (kept as readonly string[]).length;
}

const copied = Buffer.alloc(factLimits.bytesMax);

/** A copy, since a substring would keep the whole string (up to 64 KiB) alive. Truncates at a character boundary. */
function keep(text: string, room: number): string {
  return copied.toString('utf8', 0, copied.write(text, 0, room));
}

/**
 * How much of a fact is kept. A client chooses how many and how long its names are, and a session holds them until
 * its end: routes, logs and handlers see bounded ones, whichever parser read them.
 */
import type { Doubtful, Facts, FactsAnswer } from '../model/facts.js';
import type { Protocol, Recognizer } from '../model/protocol.js';

export const factLimits = {
  /** Names in a list. */
  namesMax: 64,
  /** UTF-8, of a text, or of all names in a list together. */
  bytesMax: 512,
} as const;

/** The protocol with bounded facts. */
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
  return facts ? { facts: (bytes, isFull) => boundAnswer(facts(bytes, isFull)) } : {};
}

/** A fact that is cut is doubtful: what was cut off could be what a rule asks for. */
export function boundAnswer(answer: FactsAnswer): FactsAnswer {
  const kept: Facts = {};
  const cut: string[] = [];
  for (const [name, value] of Object.entries(answer.facts)) {
    kept[name] = boundValue(value);
    if (isCut(value, kept[name])) cut.push(name);
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

/** As many whole names as there is room for. */
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

function isCut(value: Value, kept: Value): boolean {
  if (typeof value === 'string') return value.length > String(kept).length;
  return typeof value === 'object' && value.length > (kept as readonly string[]).length;
}

const copied = Buffer.alloc(factLimits.bytesMax);

/** A copy: a part of a text keeps all of it in memory, and an opening may have 64 KiB. No character is cut in two. */
function keep(text: string, room: number): string {
  return copied.toString('utf8', 0, copied.write(text, 0, room));
}

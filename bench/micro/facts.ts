/** Cost of the TypeScript work on a match: facts, and confirmations of some protocols. */
import { isDeepStrictEqual } from 'node:util';
import type { Facts } from '../../src/model/facts.js';
import type { Transport } from '../../src/model/protocol.js';
import { identifyBytes } from '../../src/protocols/identify.js';
import { recognizersFor } from '../../src/protocols/index.js';
import { flights } from '../../test/cases/flights.js';
import { repeated, type Task } from './task.js';

/** Flights per call. */
const batch = 100;
const transports: readonly Transport[] = ['tcp', 'udp'];

interface Match {
  readonly protocol: string | null;
  readonly transport: Transport;
  readonly bytes: Uint8Array;
  readonly facts: Facts;
}

const matches: readonly Match[] = flights.map(({ segments, transport }) => {
  const bytes = transport === 'udp' ? (segments[0] ?? new Uint8Array()) : Buffer.concat(segments);
  const { protocol, facts } = identifyBytes([bytes], transport);
  return { protocol, transport, bytes, facts };
});

interface Answer {
  readonly verdict: string;
  readonly facts?: Facts;
}

/** Checked against the facts of `identify`, whose correctness is tested elsewhere. */
export const factsTasks = (): Task[] =>
  tasksOf('facts', ({ facts }, match) => isDeepStrictEqual(facts, match.facts));

export const confirmTasks = (): Task[] => tasksOf('confirm', ({ verdict }) => verdict === 'match');

type IsRight = (answer: Answer, match: Match) => boolean;

function tasksOf(question: 'facts' | 'confirm', isRight: IsRight): Task[] {
  return transports.flatMap((transport) =>
    recognizersFor(transport).flatMap((recognizer) => {
      const own = matches.filter((m) => m.protocol === recognizer.id && m.transport === transport);
      const ask: ((bytes: Uint8Array) => Answer) | undefined = recognizer[question];
      const name = `${recognizer.id} (${transport})`;
      return ask && own.length > 0 ? [task(name, ask, repeated(own, batch), isRight)] : [];
    }),
  );
}

function task(
  name: string,
  ask: (bytes: Uint8Array) => Answer,
  list: readonly Match[],
  isRight: IsRight,
): Task {
  const answers: Answer[] = [];
  return {
    name,
    operations: list.length,
    run: () => {
      for (let i = 0; i < list.length; i++) answers[i] = ask((list[i] as Match).bytes);
    },
    check: () => {
      const right =
        answers.length === list.length && list.every((match, i) => isRight(answers[i] as Answer, match));
      if (!right) throw new Error(`${name}: an answer is not right`);
      answers.length = 0;
    },
  };
}

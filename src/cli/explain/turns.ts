/** Requests that anyport answers itself, where a route needs what the client says then: the bytes behind them are that. */
import type { FactsAnswer, Turn } from '../../model/facts.js';

export interface Heard {
  readonly answer: FactsAnswer;
  /** Answered, in their order. */
  readonly turns: readonly Turn[];
}

type Facts = (bytes: Uint8Array) => FactsAnswer;

export function hearTurns(facts: Facts, bytes: Uint8Array): Heard {
  const turns: Turn[] = [];
  let answer = facts(bytes);
  for (let at = 0; answer.verdict === 'facts' && answer.turn !== undefined; ) {
    const { turn, ...before } = answer;
    turns.push(turn);
    at += turn.bytes;
    answer =
      bytes.length > at
        ? turn.facts(bytes.subarray(at))
        : { ...before, verdict: 'more', bytesNeeded: at + 1 };
  }
  return { answer, turns };
}

/** All facts parsers and confirmations with openings to mutate, and the generator for mutations. */
import type { Transport } from '../../src/model/protocol.js';
import { type NamedRecognizer, recognizersFor } from '../../src/protocols/index.js';
import { flights } from '../cases/flights.js';
import { cases, datagrams } from '../cases/index.js';

export type Question = 'facts' | 'confirm';

export interface Parser {
  readonly name: string;
  readonly question: Question;
  readonly transport: Transport;
  readonly recognizer: NamedRecognizer;
  readonly ask: (bytes: Uint8Array) => { readonly verdict: string };
  /** Recorded openings and cases of the protocol. */
  readonly seeds: readonly Uint8Array[];
}

function parsersOf(transport: Transport): Parser[] {
  return recognizersFor(transport).flatMap((recognizer) =>
    (['facts', 'confirm'] as const).flatMap((question) => {
      const ask = recognizer[question];
      const seeds = seedsOf(recognizer.id, transport);
      const name = `${recognizer.id}, ${transport}, ${question}`;
      return ask ? [{ name, question, transport, recognizer, ask, seeds }] : [];
    }),
  );
}

function seedsOf(id: string, transport: Transport): Uint8Array[] {
  const own = flights.filter((flight) => flight.label === id && flight.transport === transport);
  const written = (transport === 'tcp' ? cases : datagrams)[id] ?? [];
  return [...own, ...written].map(({ bytes }) => bytes).filter(({ length }) => length > 0);
}

export const parsers = [...parsersOf('tcp'), ...parsersOf('udp')];

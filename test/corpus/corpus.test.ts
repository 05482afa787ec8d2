/**
 * Every recorded flight against all built-in protocols, whole, as recorded and byte by byte. It knows which answers
 * are right for which label and nothing of how they come about.
 */
import { afterAll, describe, expect, test } from 'vitest';
import { explainRecognizer } from '../../src/protocols/explain.js';
import { identifyFlight } from '../../src/protocols/flight.js';
import { type NamedRecognizer, protocolById, protocols, recognizersFor } from '../../src/protocols/index.js';
import { type Flight, flights } from '../cases/flights.js';
import { promised } from './promised.js';
import { scoreboard, type Wrong } from './scoreboard.js';

/** What these are called by how they are framed is TLS. */
const framedTls: Readonly<Record<string, string>> = { sslv2: 'tls' };

/** The protocol that a flight is of; null: one without a name here, or none at all. */
function truth({ label, attrs }: Flight): string | null {
  const name = 'inner' in attrs ? attrs.inner : (attrs.of ?? framedTls[label] ?? label);
  return typeof name === 'string' && promised.includes(name) ? name : null;
}

/** A special case of the protocol is the protocol. */
const isKindOf = (name: string | null, protocol: string | null): boolean =>
  name === protocol || (name !== null && protocolById(name)?.refines === protocol);

function isRight(flight: Flight, name: string | null): boolean {
  const protocol = truth(flight);
  if (isKindOf(name, protocol)) return true;
  // Silence is right where no name is due.
  return name === null && flight.expect !== 'match';
}

/** What a flight that was cut may be called: no name may be ruled out before all of it is there. */
function isOpen(flight: Flight, verdict: string, name: string | null): boolean {
  return verdict === 'more' || isKindOf(name, truth(flight));
}

/** A datagram can not be cut: it is the whole opening. */
function feedings({ transport, segments, bytes }: Flight): Record<string, readonly Uint8Array[]> {
  if (transport === 'udp') return { 'as recorded': segments };
  return {
    whole: [bytes],
    'as recorded': segments,
    'byte by byte': Array.from(bytes, (_, at) => bytes.subarray(at, at + 1)),
  };
}

function wrongAnswers(flight: Flight): Wrong[] {
  return Object.entries(feedings(flight)).flatMap(([feeding, segments]) => {
    const { verdict, protocol } = identifyFlight(segments, flight.transport);
    const right =
      flight.expect === 'need-more' ? isOpen(flight, verdict, protocol) : isRight(flight, protocol);
    return right ? [] : [{ id: flight.id, label: flight.label, feeding, said: protocol ?? verdict }];
  });
}

test('what is promised is built in', () =>
  expect(promised.filter((id) => !protocols.some((protocol) => protocol.id === id))).toEqual([]));

const labels = [...new Set(flights.map(({ label }) => label))].sort();
const found: Wrong[] = [];
afterAll(() => {
  if (found.length > 0) console.log(scoreboard(found));
});

describe('every flight is named right, or not at all where no name is due', () => {
  test.each(labels)('%s', (label) => {
    const wrong = flights.filter((flight) => flight.label === label).flatMap(wrongAnswers);
    found.push(...wrong);
    expect(wrong.map(({ id, feeding, said }) => `${id} ${feeding}: ${said}`)).toEqual([]);
  });
});

test('where a flight is cut does not change what is said of it', () => {
  for (const flight of flights) {
    const [first, ...others] = Object.values(feedings(flight)).map((segments) =>
      identifyFlight(segments, flight.transport),
    );
    for (const other of others) expect(other, flight.id).toEqual(first);
  }
});

test('no flight is of two protocols of the same rank: that one is listed before the other decides nothing', () => {
  const recognizers = recognizersFor('tcp');
  const rankOf = ({ id }: NamedRecognizer) => protocolById(id)?.rank;
  for (const { id, bytes } of flights.filter((flight) => flight.transport === 'tcp')) {
    const matching = recognizers.filter((each) => explainRecognizer(each, bytes).verdict === 'match');
    const ranks = matching.map(rankOf);
    expect(new Set(ranks).size, `${id}: ${matching.map((each) => each.id)}`).toBe(ranks.length);
  }
});

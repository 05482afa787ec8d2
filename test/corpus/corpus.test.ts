/**
 * Every recorded flight against all built-in protocols: whole, as recorded and byte by byte. Knows the right answers
 * per label, nothing of the implementation.
 */
import { afterAll, describe, expect, test } from 'vitest';
import { explainRecognizer } from '../../src/protocols/explain.js';
import { identifyFlight } from '../../src/protocols/flight.js';
import { type NamedRecognizer, protocolById, protocols, recognizersFor } from '../../src/protocols/index.js';
import { type Flight, flights } from '../cases/flights.js';
import { promised } from './promised.js';
import { scoreboard, type Wrong } from './scoreboard.js';

/** Labels that differ from the protocol's id: SSLv2 framing is TLS. */
const framedTls: Readonly<Record<string, string>> = { sslv2: 'tls' };

/** The protocol of a flight; null: none, or one without an id here. */
function truth({ label, attrs }: Flight): string | null {
  const name = 'inner' in attrs ? attrs.inner : (attrs.of ?? framedTls[label] ?? label);
  return typeof name === 'string' && promised.includes(name) ? name : null;
}

/** A refinement counts as its parent. */
const isKindOf = (name: string | null, protocol: string | null): boolean =>
  name === protocol || (name !== null && protocolById(name)?.refines === protocol);

function isRight(flight: Flight, name: string | null): boolean {
  const protocol = truth(flight);
  if (isKindOf(name, protocol)) return true;
  // An unknown verdict is right unless a match is required.
  return name === null && flight.expect !== 'match';
}

/** Whether the name of a truncated flight is still open: the true protocol must not be ruled out before the end. */
function isOpen(flight: Flight, verdict: string, name: string | null): boolean {
  return verdict === 'more' || isKindOf(name, truth(flight));
}

/** Datagrams are not cut: each is a whole opening. */
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

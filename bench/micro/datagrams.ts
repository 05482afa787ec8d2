/**
 * Cost of the first datagram of a flow: one that is known, and one that is nothing known, which must cost no more than its
 * look. By signatures alone (the addon), and with the confirmations in TypeScript that a match asks for.
 */
import { deepStrictEqual } from 'node:assert/strict';
import { compileClassifier } from '../../src/protocols/compile.js';
import { identifyBytes } from '../../src/protocols/identify.js';
import { recognizersFor } from '../../src/protocols/index.js';
import { createMatcher } from '../../src/protocols/matcher.js';
import { settlementOfDatagram } from '../../src/protocols/settlement.js';
import { flights } from '../../test/cases/flights.js';
import { createRandom } from '../../test/support/random.js';
import { classifyTask, native, type Question } from './addon.js';
import { mixed } from './mixed.js';
import type { Task } from './task.js';

/** Permutations of a set in one call. */
const orders = 16;
/** Datagrams of random bytes, and one with a changed byte for each recorded one. */
const randomCount = 64;
const randomBytesMax = 1472;

const recognizers = recognizersFor('udp');
const tables = compileClassifier(recognizers, recognizers.length);
const classifier = new native.Classifier(tables);
const random = createRandom(1);

export const datagramProtocolCount = recognizers.length;

const recorded = flights.flatMap(({ transport, segments }) =>
  transport === 'udp' && segments[0] !== undefined ? [segments[0]] : [],
);
const nameOf = (bytes: Uint8Array): string | null => identifyBytes([bytes], 'udp').protocol;

const sets: Readonly<Record<string, readonly Uint8Array[]>> = {
  'known ones, as recorded': recorded.filter((bytes) => nameOf(bytes) !== null),
  'unknown ones, as recorded': recorded.filter((bytes) => nameOf(bytes) === null),
  'known ones, spoiled until they are unknown': recorded
    .flatMap((bytes) => [bytes.subarray(0, bytes.length >> 1), withOtherByte(bytes)])
    .filter((bytes) => nameOf(bytes) === null),
  'random bytes that are unknown': Array.from({ length: randomCount }, () =>
    Buffer.from(Array.from({ length: 1 + random(randomBytesMax) }, () => random(256))),
  ).filter((bytes) => nameOf(bytes) === null),
};

function withOtherByte(bytes: Uint8Array): Uint8Array {
  const copy = Buffer.from(bytes);
  const at = random(Math.min(copy.length, 16));
  copy[at] = (copy[at] ?? 0) ^ (1 << random(8));
  return copy;
}

export const datagramTasks = (): Task[] =>
  Object.entries(sets).map(([name, list]) =>
    classifyTask(name, classifier, mixed(list.map(asked), orders), true),
  );

function asked(bytes: Uint8Array): Question {
  const matcher = createMatcher(tables);
  matcher.advance(bytes);
  return { bytes, due: matcher.finish().protocol };
}

/** As a worker does it: confirmations included. */
export const confirmedDatagramTasks = (): Task[] =>
  Object.entries(sets).map(([name, list]) => {
    const due = list.map(nameOf);
    let answers: (string | null)[] = [];
    return {
      name,
      operations: list.length,
      run: () => {
        answers = list.map(confirmed);
      },
      check: () => deepStrictEqual(answers, due, name),
    };
  });

function confirmed(bytes: Uint8Array): string | null {
  const confirm = (protocol: number) =>
    settlementOfDatagram(recognizers[protocol] ?? { signature: {} }, bytes);
  const { protocol } = classifier.identify(bytes, { ended: true, confirm });
  return recognizers[protocol]?.id ?? null;
}

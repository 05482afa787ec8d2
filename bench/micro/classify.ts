/**
 * Cost of classifying a recorded first flight among all protocols: addon and TypeScript oracle. Signatures only;
 * confirmations of a match, in TypeScript, have their own table.
 */
import { deepStrictEqual } from 'node:assert/strict';
import { compileClassifier } from '../../src/protocols/compile.js';
import { identifyBytes } from '../../src/protocols/identify.js';
import { recognizersFor } from '../../src/protocols/index.js';
import { createMatcher } from '../../src/protocols/matcher.js';
import { settlementOf } from '../../src/protocols/settlement.js';
import { type Flight, flights } from '../../test/cases/flights.js';
import { classifyTask, native, type Question } from './addon.js';
import { mixed } from './mixed.js';
import { repeated, type Task } from './task.js';

/** Flights per call where their order repeats. */
const batch = 500;
/** Permutations of all flights in the mixed call: too many branches for a predictor to learn. */
const orders = 16;
/** Flights per call of the oracle, which is slow. */
const oracleBatch = 20;

const recognizers = recognizersFor('tcp');
const tables = compileClassifier(recognizers, recognizers.length);
const classifier = new native.Classifier(tables);

export const protocolCount = recognizers.length;

/** The oracle's verdict by signatures alone, encoded as by `identifyMany`. */
function dueOf(bytes: Uint8Array): number {
  const { verdict, protocol } = createMatcher(tables).advance(bytes);
  return verdict === 'more' ? -2 : protocol;
}

type Asked = Flight & Question;

/** All recorded TCP flights, with and without a known protocol. */
const tcpFlights: readonly Asked[] = flights
  .filter(({ transport, bytes }) => transport === 'tcp' && bytes.length > 0)
  .map((flight) => ({ ...flight, due: dueOf(flight.bytes) }));
const labels = [...new Set(tcpFlights.map(({ label }) => label))].sort();
const isBuiltIn = (label: string): boolean => recognizers.some(({ id }) => id === label);

const addonTask = (name: string, list: readonly Asked[]): Task =>
  classifyTask(name, classifier, repeated(list, batch));

/** Each flight repeated: branches are predictable. */
export const flightTasks = (): Task[] => tcpFlights.map((flight) => addonTask(flight.id, [flight]));

/** All flights in varying order: branches are unpredictable. */
export const mixedTask = (): Task =>
  classifyTask('all flights mixed, the mean', classifier, mixed(tcpFlights, orders));

/** The flights of each protocol, those without a protocol, and some by the oracle. */
export function groupTasks(): Task[] {
  const groups = labels.filter(isBuiltIn).map((label) =>
    addonTask(
      label,
      tcpFlights.filter((flight) => flight.label === label),
    ),
  );
  const others = tcpFlights.filter(({ label }) => !isBuiltIn(label));
  return [...groups, addonTask('other protocols and noise', others), oracleTask()];
}

function oracleTask(): Task {
  const some = mixed(tcpFlights, 1).slice(0, oracleBatch);
  const due = some.map(({ bytes }) => namedByAddon(bytes));
  let answers: (string | null)[] = [];
  return {
    name: `${oracleBatch} of all, by the oracle`,
    operations: some.length,
    run: () => {
      answers = some.map(({ bytes }) => identifyBytes([bytes], 'tcp').protocol);
    },
    check: () => deepStrictEqual(answers, due),
  };
}

/** Full identification by the addon including confirmations, to compare with the oracle. */
function namedByAddon(bytes: Uint8Array): string | null {
  const confirm = (protocol: number, seen: number) =>
    settlementOf(recognizers[protocol] ?? { signature: {} }, bytes.subarray(0, seen));
  const { protocol } = classifier.identify(bytes, { ended: true, confirm });
  return recognizers[protocol]?.id ?? null;
}

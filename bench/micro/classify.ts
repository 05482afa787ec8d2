/** What it costs to classify a recorded first flight with all protocols: the addon, and the TypeScript oracle. */
import { compileClassifier } from '../../src/protocols/compile.js';
import { identifyBytes } from '../../src/protocols/identify.js';
import { recognizersFor } from '../../src/protocols/index.js';
import { settlementOf } from '../../src/protocols/settlement.js';
import { type Flight, flights } from '../../test/cases/flights.js';
import { classifyMany, native } from './addon.js';
import type { Task } from './task.js';

const batch = 500;

const recognizers = recognizersFor('tcp');
const classifier = new native.Classifier(compileClassifier(recognizers, recognizers.length));

export const protocolCount = recognizers.length;

/** What a client sends that this program has a name for; and all else that comes over TCP. */
const tcpFlights = flights.filter(({ transport, bytes }) => transport === 'tcp' && bytes.length > 0);
const labels = [...new Set(tcpFlights.map(({ label }) => label))].sort();
const isBuiltIn = (label: string): boolean => recognizers.some(({ id }) => id === label);

/** The addon says what the oracle says, confirmations and all. */
function checkAnswer({ id, bytes }: Flight): void {
  const confirm = (protocol: number, seen: number) =>
    settlementOf(recognizers[protocol] ?? { signature: {} }, bytes.subarray(0, seen));
  const { protocol } = classifier.identify(bytes, { ended: true, confirm });
  const due = identifyBytes([bytes], 'tcp').protocol;
  if ((recognizers[protocol]?.id ?? null) !== due) throw new Error(`${id}: not ${due}`);
}

const overAndOver = (list: readonly Flight[]): Uint8Array[] =>
  Array.from({ length: batch }, (_, i) => (list[i % list.length] as Flight).bytes);

const addonTask = (name: string, list: readonly Flight[]): Task => ({
  name,
  operations: batch,
  run: classifyMany(classifier, overAndOver(list)),
});

/** Each flight by itself, for the median over flights. */
export function flightTasks(): Task[] {
  for (const flight of tcpFlights) checkAnswer(flight);
  return tcpFlights.map((flight) => addonTask(flight.id, [flight]));
}

/** The flights of a protocol together, those without a name, and all: no branch predictor knows what comes. */
export function groupTasks(): Task[] {
  const groups = labels.filter(isBuiltIn).map((label) =>
    addonTask(
      label,
      tcpFlights.filter((flight) => flight.label === label),
    ),
  );
  const others = tcpFlights.filter(({ label }) => !isBuiltIn(label));
  const all = overAndOver(tcpFlights);
  return [
    ...groups,
    addonTask('other protocols and noise', others),
    addonTask('all', tcpFlights),
    { name: 'all, by the oracle', operations: 20, run: () => all.slice(0, 20).forEach(identify) },
  ];
}

const identify = (bytes: Uint8Array): void => {
  identifyBytes([bytes], 'tcp');
};

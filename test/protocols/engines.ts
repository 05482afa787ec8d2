/** Both engines behind one interface, so that every case runs on both. */
import { type Feeding, native } from '../../src/addon.js';
import type { ClassifierTables, Decision } from '../../src/model/classifier.js';
import type { Recognizer } from '../../src/model/protocol.js';
import { compileClassifier } from '../../src/protocols/compile.js';
import type { NamedRecognizer } from '../../src/protocols/index.js';
import { createMatcher } from '../../src/protocols/matcher.js';
import { settlementOf } from '../../src/protocols/settlement.js';

export type Classify = (bytes: Uint8Array, feeding?: Feeding) => Decision;

export const engines: Readonly<Record<'oracle' | 'addon', (tables: ClassifierTables) => Classify>> = {
  oracle,
  addon: (tables) => {
    const classifier = new native.Classifier(tables);
    return (bytes, feeding) => classifier.identify(bytes, feeding);
  },
};

function oracle(tables: ClassifierTables): Classify {
  return (bytes, feeding = {}) => {
    const { cuts = new Uint32Array(), nameUnrouted = true, ended = false, quiet = false } = feeding;
    const { confirm, settlesQuietly } = feeding;
    const ask = confirm && ((protocol: number, { length }: Uint8Array) => confirm(protocol, length));
    const matcher = createMatcher(tables, {
      nameUnrouted,
      ...(ask && { confirm: ask }),
      ...(settlesQuietly && { settlesQuietly }),
    });
    let from = 0;
    for (const cut of cuts) {
      matcher.advance(bytes.subarray(from, cut));
      from = cut;
    }
    const decision = matcher.advance(bytes.subarray(from));
    if (quiet && decision.verdict === 'more') return matcher.quiet();
    return ended ? matcher.finish() : decision;
  };
}

/** An engine for these protocols, including their confirmations. */
export function classifierOf(
  create: (tables: ClassifierTables) => Classify,
  recognizers: readonly NamedRecognizer[],
): Classify {
  const classify = create(compileClassifier(recognizers, recognizers.length));
  return (bytes, feeding = {}) => {
    const confirm = (protocol: number, seen: number) =>
      settlementOf(recognizers[protocol] as Recognizer, bytes.subarray(0, seen));
    return classify(bytes, { ...feeding, confirm });
  };
}

export const byteByByte = (bytes: Uint8Array): Feeding => ({
  cuts: Uint32Array.from(bytes, (_, i) => i + 1),
});

/** Of a long opening only this many bytes at either end are tried as cuts. */
const edgeBytes = 256;

/** One read; byte by byte; two reads, for every cut. */
export function* feedings(bytes: Uint8Array): Generator<Feeding> {
  yield {};
  yield byteByByte(bytes);
  for (let cut = 1; cut < bytes.length; cut++) {
    if (cut <= edgeBytes || cut >= bytes.length - edgeBytes) yield { cuts: Uint32Array.of(cut) };
  }
}

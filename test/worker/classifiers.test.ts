/** A classifier made from another one answers like one that is made from nothing. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { native } from '../../src/addon.js';
import type { PlanForm } from '../../src/model/plan.js';
import { Classifiers } from '../../src/worker/classifiers.js';
import { plannedForm } from '../support/plan.js';

const letters = ['a', 'b', 'c', 'd', 'ab', 'ac', 'abc', '[a-c]', 'b|^c', '[^a]'];
const entries = letters.map((pattern) =>
  plannedForm({ id: pattern, signature: { patterns: [`^${pattern}`] } }),
);

const tablesOf = (list: readonly PlanForm[], routable: number) => ({
  automata: list.map(({ automaton }) => automaton),
  routable,
});

const anyList = fc
  .shuffledSubarray(entries)
  .chain((list) => fc.nat(list.length).map((routable) => ({ list, routable })));

/** A Plan with a list for each listener, and whether it is put in force. */
const anyPlans = fc.record({
  lists: fc.array(anyList, { minLength: 1, maxLength: 3 }),
  adopted: fc.boolean(),
});

test('whatever came before, whichever Plans are given up', () => {
  const openings = ['a', 'ab', 'abc', 'ac', 'b', 'bx', 'c', 'd', 'x'].map((opening) => Buffer.from(opening));
  fc.assert(
    fc.property(fc.array(anyPlans, { minLength: 1, maxLength: 6 }), (plans) => {
      let inForce = new Classifiers();
      for (const { lists, adopted } of plans) {
        const classifiers = new Classifiers(inForce);
        for (const { list, routable } of lists) {
          // Every Plan reaches its worker as a copy.
          const made = classifiers.make(structuredClone(list), routable);
          const fresh = new native.Classifier(tablesOf(list, routable));
          for (const bytes of openings) {
            for (const feeding of [{}, { ended: true }, { nameUnrouted: false }]) {
              expect(made.identify(bytes, feeding)).toEqual(fresh.identify(bytes, feeding));
            }
          }
        }
        if (adopted) inForce = classifiers;
      }
    }),
    { numRuns: 300 },
  );
});

test('across the words of the index', () => {
  const many = Array.from({ length: 200 }, (_, i) => {
    const id = String(i).padStart(3, '0');
    return { id, ...plannedForm({ id, signature: { patterns: [`^${id}`] } }) };
  });
  const without = (...gone: number[]) => many.filter((_, i) => !gone.includes(i));
  const classifierOf = new Classifiers().make;
  for (const list of [many, without(63), without(63, 64), without(0), without(199), many]) {
    const classifier = classifierOf(list, list.length);
    for (const { id } of many) {
      const { protocol } = classifier.identify(Buffer.from(id));
      expect(list[protocol]?.id ?? null).toBe(list.some((entry) => entry.id === id) ? id : null);
    }
  }
});

test('an unchanged list keeps its classifier, whichever listeners come and go', () => {
  const first = new Classifiers();
  const [one, other] = [entries.slice(0, 3), entries.slice(2)];
  const before = first.make(one, 3);
  first.make(other, 2);
  const second = new Classifiers(first);
  second.make(entries, 4);
  expect(second.make(structuredClone(one), 3)).toBe(before);
  expect(second.make(one, 2)).not.toBe(before);
  // Not used by the last Plan: made anew, with the same answers.
  const third = new Classifiers(new Classifiers(second));
  expect(third.make(one, 3)).not.toBe(before);
});

test('a protocol of the same name with another signature is another one', () => {
  const custom = (start: string) => plannedForm({ id: 'custom', signature: { startBytes: [start] } });
  const before = new Classifiers();
  before.make([custom('aa')], 1);
  const after = new Classifiers(before).make([custom('bb')], 1);
  expect(after.identify(Buffer.from([0xaa])).verdict).toBe('unknown');
  expect(after.identify(Buffer.from([0xbb])).verdict).toBe('match');
});

test('one that is in use stays as it is', () => {
  const classifierOf = new Classifiers().make;
  const first = classifierOf(entries.slice(0, 2), 2);
  classifierOf(entries.slice(1, 2), 1);
  expect(first.identify(Buffer.from('b'))).toMatchObject({ verdict: 'match', protocol: 1 });
});

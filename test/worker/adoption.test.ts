/** Preparing a Plan changes nothing; only the wanted Plan is committed. */
import { describe, expect, test } from 'vitest';
import type { EngineTables } from '../../src/addon.js';
import type { PlanAnswer, PlanDelivery } from '../../src/model/message.js';
import type { Plan, PlanForm } from '../../src/model/plan.js';
import { Adoption } from '../../src/worker/adoption.js';
import type { ClassifierOf } from '../../src/worker/classifiers.js';
import type { Runtime } from '../../src/worker/runtime.js';
import { settled } from '../base/fake-clock.js';
import { plannedForm } from '../support/plan.js';

/** Only its generation is used. */
const planOf = (generation: number) => ({ generation }) as Plan;

const deliveryOf = (generation: number): PlanDelivery => ({
  plan: planOf(generation),
  sockets: [],
  settings: { logLevel: 'info', workers: generation, own: [] },
});

/** A Plan being prepared; the test completes it. */
interface Preparing {
  readonly generation: number;
  readonly classifierOf: ClassifierOf;
  load(): void;
  fail(thrown: unknown): void;
}

async function adoptionOf() {
  const preparing: Preparing[] = [];
  const done: string[] = [];
  const answers: PlanAnswer[] = [];
  const engine = {
    prepare: ({ generation }: EngineTables) => void done.push(`prepare ${generation}`),
    commit: () => void done.push('commit'),
    discard: () => void done.push('discard'),
  };
  const adoption = new Adoption({
    create: (plan, classifierOf) =>
      new Promise((resolve, reject) => {
        const { generation } = plan;
        const runtime = { plan } as unknown as Runtime;
        const tables = { generation } as EngineTables;
        preparing.push({ generation, classifierOf, load: () => resolve({ runtime, tables }), fail: reject });
      }),
    whole: (plan) => Promise.resolve(plan),
    engine,
    runtimes: { add: ({ plan }) => void done.push(`add ${plan.generation}`) },
    apply: ({ generation }, { workers }) => void done.push(`apply ${generation} for ${workers}`),
    answer: (answer) => void answers.push(answer),
  });
  const begun = adoption.begin(deliveryOf(1));
  preparing.shift()?.load();
  await begun;
  done.splice(0);
  return {
    adoption,
    answers,
    /** Actions since the last call. */
    done: () => done.splice(0),
    prepare(generation: number): Preparing {
      void adoption.prepare(deliveryOf(generation));
      return preparing.at(-1) as Preparing;
    },
  };
}

test('the first Plan is in force when it is ready', async () => {
  const { answers, done } = await adoptionOf();
  expect(answers).toEqual([]);
  expect(done()).toEqual([]);
});

test('the first Plan that can not be prepared is an error', async () => {
  const refuse = () => Promise.reject(new Error('no such handler'));
  const engine = { prepare() {}, commit() {}, discard() {} };
  const whole = (plan: Plan) => Promise.resolve(plan);
  const parts = { create: refuse, whole, engine, runtimes: { add() {} }, apply() {}, answer() {} };
  const adoption = new Adoption(parts);
  await expect(adoption.begin(deliveryOf(1))).rejects.toThrow('no such handler');
});

test('a Plan is in force when it is committed, and not before', async () => {
  const { adoption, answers, done, prepare } = await adoptionOf();
  prepare(2).load();
  await settled();
  expect(answers).toEqual([{ type: 'prepared', generation: 2 }]);
  expect(done()).toEqual(['prepare 2']);
  adoption.commit(2);
  // The sequencer must know the Plan before sessions begin with it.
  expect(done()).toEqual(['add 2', 'apply 2 for 2', 'commit']);
  expect(answers.at(-1)).toEqual({ type: 'adopted', generation: 2 });
});

test('a Plan that is discarded is forgotten', async () => {
  const { adoption, answers, done, prepare } = await adoptionOf();
  prepare(2).load();
  await settled();
  adoption.discard(2);
  adoption.commit(2);
  expect(done()).toEqual(['prepare 2', 'discard']);
  expect(answers).toHaveLength(1);
});

describe('a Plan that takes long to load', () => {
  test('and is discarded meanwhile, is never prepared', async () => {
    const { adoption, answers, done, prepare } = await adoptionOf();
    const slow = prepare(2);
    adoption.discard(2);
    slow.load();
    await settled();
    expect(done()).toEqual([]);
    expect(answers).toEqual([]);
  });

  test('does not take the place of one that came after it', async () => {
    const { adoption, answers, done, prepare } = await adoptionOf();
    const [slow, broken] = [prepare(2), prepare(3)];
    prepare(4).load();
    await settled();
    slow.load();
    broken.fail(new Error('late'));
    await settled();
    adoption.commit(4);
    expect(done()).toEqual(['prepare 4', 'add 4', 'apply 4 for 4', 'commit']);
    expect(answers.map(({ type, generation }) => `${type} ${generation}`)).toEqual([
      'prepared 4',
      'adopted 4',
    ]);
  });
});

test('what is said of another Plan than the prepared one changes nothing', async () => {
  const { adoption, answers, done, prepare } = await adoptionOf();
  prepare(3).load();
  await settled();
  adoption.commit(2);
  adoption.discard(2);
  expect(done()).toEqual(['prepare 3']);
  adoption.commit(3);
  adoption.commit(3);
  expect(done()).toEqual(['add 3', 'apply 3 for 3', 'commit']);
  expect(answers).toHaveLength(2);
});

const unreadable = Object.defineProperty({}, 'message', {
  get() {
    throw new Error('a trap');
  },
});

test.each([
  { error: 'Error: no such file', thrown: () => new Error('no such file') },
  { error: 'a text', thrown: () => 'a text' },
  { error: 'what was thrown can not be read', thrown: () => unreadable },
])('whatever a module throws is a refusal: $error', async ({ thrown, error }) => {
  const { answers, prepare } = await adoptionOf();
  prepare(2).fail(thrown());
  await settled();
  expect(answers).toEqual([{ type: 'refused', generation: 2, error }]);
});

test('classifiers go on from the Plan in force, not from one that was discarded', async () => {
  const { adoption, prepare } = await adoptionOf();
  const [a, b] = ['a', 'b'].map((id) => plannedForm({ id, signature: { patterns: [`^${id}`] } })) as [
    PlanForm,
    PlanForm,
  ];
  const first = prepare(2);
  first.classifierOf([a], 1);
  first.load();
  await settled();
  adoption.commit(2);

  const other = prepare(3);
  other.classifierOf([b], 1);
  other.load();
  await settled();
  adoption.discard(3);

  // Without its automaton `a` can not be rebuilt, so it must be taken from the Plan in force.
  const unbuilt = { ...a, automaton: null as unknown as typeof a.automaton };
  const made = prepare(4).classifierOf([unbuilt, b], 2);
  expect(made.identify(Buffer.from('a'))).toMatchObject({ verdict: 'match', protocol: 0 });
});

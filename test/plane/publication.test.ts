/** A Plan is committed in all workers or in none, whatever happens to them meanwhile. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { EngineTables } from '../../src/addon.js';
import { Turns } from '../../src/base/turns.js';
import type { ListeningSocket, PlanAnswer, ToWorker } from '../../src/model/message.js';
import type { Plan } from '../../src/model/plan.js';
import {
  type Publication,
  type Published,
  Publisher,
  publicationLimits,
} from '../../src/plane/publication.js';
import { Adoption } from '../../src/worker/adoption.js';
import type { Runtime } from '../../src/worker/runtime.js';
import { FakeClock, settled } from '../base/fake-clock.js';

/** Timeout for workers to prepare a Plan. */
const timeMs = publicationLimits.lookMs * publicationLimits.looksMax;

/** Only its generation is used; each worker has a socket of its own in each Plan. */
function planOf(generation: number): Publication {
  const plan = { generation } as Plan;
  const settings = { logLevel: 'info', workers: 1, own: [] };
  return {
    plan,
    deliver: (worker) => ({
      plan,
      sockets: [{ transport: 'tcp', socket: 100 * generation + worker, listener: 0, fd: 0 }],
      settings,
    }),
  };
}

/** Workers started with Plan 1; the test supplies their answers. */
function publisherOf(...workers: number[]) {
  const clock = new FakeClock();
  const told: string[] = [];
  const behind: string[] = [];
  const events = {
    post: (worker: number, message: ToWorker) => told.push(`${worker} ${textOf(message)}`),
    behind: (worker: number, error: string) => behind.push(`${worker} ${error}`),
  };
  const publisher = new Publisher(planOf(1), events, clock);
  for (const worker of workers) publisher.joined(worker, 1);
  return {
    publisher,
    clock,
    behind,
    /** Messages to workers since the last call. */
    told: () => told.splice(0),
    preparing: (worker: number, generation: number) =>
      publisher.answered(worker, { type: 'preparing', generation }),
    prepared: (worker: number, generation: number) =>
      publisher.answered(worker, { type: 'prepared', generation }),
    refused: (worker: number, generation: number, error = 'no such file') =>
      publisher.answered(worker, { type: 'refused', generation, error }),
    adopted: (worker: number, generation: number) =>
      publisher.answered(worker, { type: 'adopted', generation }),
  };
}

function textOf(message: ToWorker): string {
  if (message.type === 'prepare') return `prepare ${message.plan.generation}`;
  return 'generation' in message ? `${message.type} ${message.generation}` : message.type;
}

test('a worker that has the Plan in force is sent what has changed, any other one the whole', async () => {
  const sent: string[] = [];
  const post = (worker: number, message: ToWorker, inForce?: Plan) => {
    if (message.type === 'prepare')
      sent.push(`${worker}: ${message.plan.generation} on ${inForce?.generation}`);
  };
  const publisher = new Publisher(planOf(1), { post, behind: () => {} }, new FakeClock());
  for (const worker of [0, 1]) publisher.joined(worker, 1);
  void publisher.publish(planOf(2));
  for (const worker of [0, 1]) publisher.answered(worker, { type: 'prepared', generation: 2 });
  publisher.answered(0, { type: 'adopted', generation: 2 });
  publisher.joined(2, 1);
  publisher.answered(1, { type: 'adopted', generation: 2 });
  await settled();
  void publisher.publish(planOf(3));
  expect(sent).toEqual([
    '0: 2 on 1',
    '1: 2 on 1',
    '2: 2 on undefined',
    '0: 3 on 2',
    '1: 3 on 2',
    '2: 3 on undefined',
  ]);
});

/** Current result of a publication. */
async function outcome(published: Promise<Published>): Promise<Published | 'pending'> {
  await settled();
  return Promise.race([published, Promise.resolve('pending' as const)]);
}

const committed = { result: 'committed' };
const calledOff = { result: 'called_off' };

describe('a Plan', () => {
  test('that every worker can prepare is committed in all, and published when all have adopted it', async () => {
    const { publisher, told, prepared, adopted } = publisherOf(0, 1, 2);
    const published = publisher.publish(planOf(2));
    expect(told()).toEqual(['0 prepare 2', '1 prepare 2', '2 prepare 2']);
    for (const worker of [2, 0]) prepared(worker, 2);
    expect(told()).toEqual([]);
    expect(publisher.plan.generation).toBe(1);
    prepared(1, 2);
    expect(told().sort()).toEqual(['0 commit 2', '1 commit 2', '2 commit 2']);
    expect(publisher.plan.generation).toBe(2);
    for (const worker of [0, 1]) adopted(worker, 2);
    expect(await outcome(published)).toBe('pending');
    adopted(2, 2);
    expect(await outcome(published)).toEqual(committed);
    expect(told()).toEqual([]);
  });

  test.each([0, 1, 2])('that worker %i of three refuses is discarded in all', async (refuser) => {
    const { publisher, told, prepared, refused } = publisherOf(0, 1, 2);
    const published = publisher.publish(planOf(2));
    told();
    prepared((refuser + 1) % 3, 2);
    refused(refuser, 2, 'no such handler');
    expect(told()).toEqual(
      expect.arrayContaining([0, 1, 2].filter((w) => w !== refuser).map((w) => `${w} discard 2`)),
    );
    expect(await outcome(published)).toEqual({
      result: 'refused',
      worker: refuser,
      error: 'no such handler',
    });
    expect(publisher.plan.generation).toBe(1);
    prepared((refuser + 2) % 3, 2); // it had not heard yet
    expect(told()).toEqual([]);
  });

  test('whose worker does not answer in time is discarded in all; an answer after that changes nothing', async () => {
    const { publisher, clock, told, preparing, prepared } = publisherOf(0, 1);
    const published = publisher.publish(planOf(2));
    preparing(1, 2);
    prepared(0, 2);
    told();
    await clock.pass(timeMs - 1);
    expect(await outcome(published)).toBe('pending');
    await clock.pass(1);
    expect(told().sort()).toEqual(['0 discard 2', '1 discard 2']);
    expect(await outcome(published)).toEqual({
      result: 'refused',
      worker: 1,
      error: 'it did not answer in time',
    });
    prepared(1, 2);
    expect(told()).toEqual([]);
    expect(publisher.plan.generation).toBe(1);
  });

  test('is not refused because the process was suspended', async () => {
    const { publisher, clock, preparing, prepared, adopted } = publisherOf(0);
    const published = publisher.publish(planOf(2));
    preparing(0, 2);
    clock.jump(3_600_000);
    await clock.pass(timeMs / 2);
    prepared(0, 2);
    adopted(0, 2);
    expect(await outcome(published)).toEqual(committed);
  });

  test('is judged by time only while it is prepared: a worker may be slow to adopt', async () => {
    const { publisher, clock, told, prepared, adopted } = publisherOf(0);
    const published = publisher.publish(planOf(2));
    prepared(0, 2);
    told();
    await clock.pass(10 * timeMs);
    expect(await outcome(published)).toBe('pending');
    adopted(0, 2);
    expect(await outcome(published)).toEqual(committed);
    expect(told()).toEqual([]);
  });

  test('after one that was refused is published like any other', async () => {
    const { publisher, told, prepared, refused, adopted } = publisherOf(0, 1);
    void publisher.publish(planOf(2));
    refused(1, 2);
    const published = publisher.publish(planOf(3));
    told();
    refused(0, 2, 'late');
    for (const worker of [0, 1]) prepared(worker, 3);
    expect(told()).toEqual(['0 commit 3', '1 commit 3']);
    for (const worker of [0, 1]) adopted(worker, 3);
    expect(await outcome(published)).toEqual(committed);
  });
});

describe('a worker that dies', () => {
  test.each(['before it has prepared', 'when it has'])(
    '%s: the Plan is discarded in the others',
    async (when) => {
      const { publisher, told, prepared } = publisherOf(0, 1, 2);
      const published = publisher.publish(planOf(2));
      told();
      prepared(0, 2);
      if (when === 'when it has') prepared(1, 2);
      publisher.gone(1, 'exit code 7');
      expect(told().sort()).toEqual(['0 discard 2', '2 discard 2']);
      expect(await outcome(published)).toEqual({
        result: 'refused',
        worker: 1,
        error: 'it died: exit code 7',
      });
      publisher.joined(1, 1);
      expect(told()).toEqual([]);
    },
  );

  test('before it has adopted a committed Plan holds nobody up, and its replacement has the Plan', async () => {
    const { publisher, told, prepared, adopted } = publisherOf(0, 1);
    const published = publisher.publish(planOf(2));
    for (const worker of [0, 1]) prepared(worker, 2);
    adopted(0, 2);
    publisher.gone(1, 'boom');
    expect(await outcome(published)).toEqual(committed);
    told();
    publisher.joined(1, publisher.plan.generation);
    expect(told()).toEqual([]);
  });
});

describe('a worker that crashes in a loop', () => {
  test('does not stand against the Plan that may be the cure', async () => {
    const { publisher, clock, told, prepared, adopted } = publisherOf(0, 1);
    publisher.gone(1, 'boom');
    await clock.pass(publicationLimits.unstableMs / 2);
    publisher.joined(1, 1);
    const published = publisher.publish(planOf(2));
    publisher.gone(1, 'boom');
    told();
    prepared(0, 2);
    expect(told()).toEqual(['0 commit 2']);
    adopted(0, 2);
    expect(await outcome(published)).toEqual(committed);
  });

  test('is stable again after a while', async () => {
    const { publisher, clock } = publisherOf(0, 1);
    publisher.gone(1, 'boom');
    publisher.joined(1, 1);
    await clock.pass(publicationLimits.unstableMs);
    const published = publisher.publish(planOf(2));
    publisher.gone(1, 'boom');
    expect(await outcome(published)).toMatchObject({ result: 'refused', worker: 1 });
  });

  test('and is the only one has the Plan as soon as it lives long enough to prepare it', async () => {
    const { publisher, clock, told, prepared, adopted } = publisherOf();
    publisher.gone(0, 'boom');
    const published = publisher.publish(planOf(2));
    for (let death = 0; death < 3; death++) {
      await clock.pass(publicationLimits.lookMs);
      publisher.joined(0, 1);
      publisher.gone(0, 'boom');
    }
    expect(await outcome(published)).toBe('pending');
    publisher.joined(0, 1);
    prepared(0, 2);
    expect(told().at(-1)).toBe('0 commit 2');
    adopted(0, 2);
    expect(await outcome(published)).toEqual(committed);
  });
});

describe('a worker that hung before the Plan came', () => {
  const unheardMs = publicationLimits.lookMs * publicationLimits.unheardLooksMax;

  test('is left out, and has the Plan when it goes on', async () => {
    const { publisher, clock, told, preparing, prepared, adopted } = publisherOf(0, 1);
    const published = publisher.publish(planOf(2));
    preparing(0, 2);
    prepared(0, 2);
    told();
    await clock.pass(unheardMs - 1);
    expect(told()).toEqual([]);
    await clock.pass(1);
    expect(told()).toEqual(['0 commit 2']);
    adopted(0, 2);
    expect(await outcome(published)).toEqual(committed);
    expect(told()).toEqual(['1 prepare 2']);
    prepared(1, 2);
    expect(told()).toEqual(['1 commit 2']);
  });

  test('and goes on while others still prepare takes part again, and may refuse', async () => {
    const { publisher, clock, preparing, refused } = publisherOf(0, 1);
    const published = publisher.publish(planOf(2));
    preparing(0, 2);
    await clock.pass(unheardMs);
    preparing(1, 2);
    refused(1, 2);
    expect(await outcome(published)).toMatchObject({ result: 'refused', worker: 1 });
  });

  test('and is the only one is waited for', async () => {
    const { publisher, clock, prepared, adopted } = publisherOf(0);
    const published = publisher.publish(planOf(2));
    await clock.pass(timeMs - 1);
    publisher.gone(0, 'it hung');
    publisher.joined(0, 1);
    prepared(0, 2);
    adopted(0, 2);
    expect(await outcome(published)).toEqual(committed);
  });
});

test('a worker that leaves takes part no more, and its successor of the same number is like any other', async () => {
  const { publisher, told, prepared, adopted } = publisherOf(0, 1);
  publisher.left(1);
  const published = publisher.publish(planOf(2));
  expect(told()).toEqual(['0 prepare 2']);
  prepared(0, 2);
  publisher.gone(1, 'boom'); // with its last sessions
  publisher.left(1);
  adopted(0, 2);
  expect(await outcome(published)).toEqual(committed);
  publisher.joined(1, 2);
  const next = publisher.publish(planOf(3));
  publisher.gone(1, 'boom');
  expect(await outcome(next)).toMatchObject({ result: 'refused', worker: 1 });
});

test('what the primary does of a Plan comes before the first worker is told to commit', () => {
  const { publisher, told, prepared } = publisherOf(0);
  const before: string[][] = [];
  void publisher.publish({ ...planOf(2), committing: () => before.push(told()) });
  prepared(0, 2);
  expect(before).toEqual([['0 prepare 2']]);
  expect(told()).toEqual(['0 commit 2']);
});

describe('a worker that starts', () => {
  test('while others prepare takes part', async () => {
    const { publisher, told, prepared, adopted } = publisherOf(0);
    const published = publisher.publish(planOf(2));
    publisher.joined(1, 1);
    expect(told()).toEqual(['0 prepare 2', '1 prepare 2']);
    prepared(0, 2);
    expect(publisher.plan.generation).toBe(1);
    prepared(1, 2);
    for (const worker of [0, 1]) adopted(worker, 2);
    expect(await outcome(published)).toEqual(committed);
  });

  test('while others prepare may refuse for all', async () => {
    const { publisher, told, prepared, refused } = publisherOf(0);
    const published = publisher.publish(planOf(2));
    publisher.joined(1, 1);
    refused(1, 2);
    prepared(0, 2);
    expect(told()).toContain('0 discard 2');
    expect(await outcome(published)).toMatchObject({ result: 'refused', worker: 1 });
  });

  test('with an older Plan than is in force is brought up to date', async () => {
    const { publisher, told, prepared, adopted } = publisherOf(0);
    void publisher.publish(planOf(2));
    prepared(0, 2);
    told();
    publisher.joined(1, 1); // while 0 adopts
    adopted(0, 2);
    publisher.joined(2, 1); // later
    expect(told()).toEqual(['1 prepare 2', '2 prepare 2']);
    for (const worker of [1, 2]) {
      prepared(worker, 2);
      expect(told()).toEqual([`${worker} commit 2`]);
      adopted(worker, 2);
    }
    void publisher.publish(planOf(3));
    refusedByAll(publisher, 3);
    told();
    publisher.joined(3, 2);
    expect(told()).toEqual([]);
  });

  const refusedByAll = (publisher: Publisher, generation: number) =>
    publisher.answered(0, { type: 'refused', generation, error: '' });

  test('and can not be brought up to date is told of', () => {
    const { publisher, told, behind, prepared, refused, adopted } = publisherOf(0);
    void publisher.publish(planOf(2));
    prepared(0, 2);
    adopted(0, 2);
    publisher.joined(1, 1);
    told();
    refused(1, 2, 'gone from the disk');
    expect(behind).toEqual(['1 gone from the disk']);
    expect(told()).toEqual([]);
    void publisher.publish(planOf(3));
    expect(told()).toEqual(['0 prepare 3', '1 prepare 3']);
  });

  test('is brought up to date all the same when another Plan comes meanwhile, and is refused', () => {
    const { publisher, told, prepared, refused, adopted } = publisherOf(0);
    void publisher.publish(planOf(2));
    prepared(0, 2);
    adopted(0, 2);
    publisher.joined(1, 1);
    void publisher.publish(planOf(3));
    prepared(1, 2); // said before it heard of Plan 3
    refused(0, 3);
    expect(told().at(-1)).toBe('1 prepare 2');
  });
});

describe('while no worker accepts', () => {
  test('a Plan waits for the first that does', async () => {
    const { publisher, clock, told, prepared, adopted } = publisherOf();
    const published = publisher.publish(planOf(2));
    await clock.pass(timeMs - 1);
    publisher.joined(1, 1);
    expect(told()).toEqual(['1 prepare 2']);
    prepared(1, 2);
    adopted(1, 2);
    expect(await outcome(published)).toEqual(committed);
  });

  test('and none does in time, the Plan is in force for those to come: the old one may be why', async () => {
    const { publisher, clock, told } = publisherOf();
    const published = publisher.publish(planOf(2));
    await clock.pass(timeMs);
    expect(await outcome(published)).toEqual(committed);
    expect(publisher.plan.generation).toBe(2);
    expect(told()).toEqual([]);
  });
});

describe('when the workers end', () => {
  test('a Plan under preparation is called off, and none comes after it', async () => {
    const { publisher, clock, told, prepared } = publisherOf(0, 1);
    const first = publisher.publish(planOf(2));
    prepared(0, 2);
    told();
    publisher.close();
    publisher.close();
    expect(told().sort()).toEqual(['0 discard 2', '1 discard 2']);
    for (const published of [first, publisher.publish(planOf(4))]) {
      expect(await outcome(published)).toEqual(calledOff);
    }
    prepared(1, 2);
    publisher.joined(2, 0);
    publisher.gone(1, 'told to');
    await clock.pass(timeMs);
    expect(told()).toEqual([]);
    expect(publisher.plan.generation).toBe(1);
  });

  test('a committed Plan stays committed', async () => {
    const { publisher, told, prepared } = publisherOf(0);
    const published = publisher.publish(planOf(2));
    prepared(0, 2);
    publisher.close();
    expect(await outcome(published)).toEqual(committed);
    expect(told()).not.toContain('0 discard 2');
    expect(publisher.plan.generation).toBe(2);
  });
});

interface CrewLife {
  readonly adoption: Adoption;
  /** Generation and sockets in force. */
  has: number;
  sockets: readonly number[];
  readonly toWorker: ToWorker[];
  readonly fromWorker: PlanAnswer[];
}

/** Workers with the real Adoption; messages are delivered in order, when the test says. */
class Crew {
  readonly clock = new FakeClock();
  readonly publisher: Publisher;
  /** By generation. */
  readonly results = new Map<number, Published>();
  /** All generations that a worker has adopted. */
  readonly adopted = new Set<number>();
  /** Generation → worker that can not prepare it. */
  readonly #refusers = new Map<number, number>();
  readonly #lives = new Map<number, CrewLife>();
  readonly #turns = new Turns();
  /** Starting workers and their generation. */
  readonly #starting = new Map<number, number>();
  #newest = 1;

  constructor(workers: number) {
    const post = (worker: number, message: ToWorker) => this.#lives.get(worker)?.toWorker.push(message);
    this.publisher = new Publisher(planOf(1), { post, behind: () => {} }, this.clock);
    for (let worker = 0; worker < workers; worker++) {
      this.begin(worker);
      this.ready(worker);
    }
  }

  /** Accepting worker → generation. */
  get generations(): number[] {
    return [...this.#lives.values()].map(({ has }) => has);
  }

  /** What each worker has in force. */
  holdings(): { worker: number; has: number; sockets: readonly number[] }[] {
    return [...this.#lives].map(([worker, { has, sockets }]) => ({ worker, has, sockets }));
  }

  /** The generation of a worker that could have the one in force. */
  upToDate(worker: number): number {
    const { generation } = this.publisher.plan;
    return this.#refusers.get(generation) === worker ? generation : (this.#lives.get(worker)?.has ?? 0);
  }

  publish(refuser: number): void {
    const generation = ++this.#newest;
    this.#refusers.set(generation, refuser);
    void this.#turns
      .run(() => this.publisher.publish(planOf(generation)))
      .then((published) => this.results.set(generation, published));
  }

  begin(worker: number): void {
    if (!this.#lives.has(worker)) this.#starting.set(worker, this.publisher.plan.generation);
  }

  ready(worker: number): void {
    const has = this.#starting.get(worker);
    if (has === undefined) return;
    this.#starting.delete(worker);
    const sockets = numbersOf(planOf(has).deliver(worker).sockets);
    const adoption = this.#adoptionOf(worker);
    this.#lives.set(worker, { adoption, has, sockets, toWorker: [], fromWorker: [] });
    this.publisher.joined(worker, has);
  }

  die(worker: number): void {
    if (this.#lives.delete(worker)) this.publisher.gone(worker, 'boom');
  }

  /** It ends at once; the next one of its number begins anew. */
  leave(worker: number): void {
    if (this.#lives.delete(worker)) this.publisher.left(worker);
  }

  hear(worker: number): void {
    const life = this.#lives.get(worker);
    const message = life?.toWorker.shift();
    if (!life || !message) return;
    if (message.type === 'prepare') {
      life.fromWorker.push({ type: 'preparing', generation: message.plan.generation });
      void life.adoption.prepare(message);
    }
    if (message.type === 'commit') life.adoption.commit(message.generation);
    else if (message.type === 'discard') life.adoption.discard(message.generation);
  }

  answer(worker: number): void {
    const answer = this.#lives.get(worker)?.fromWorker.shift();
    if (answer) this.publisher.answered(worker, answer);
  }

  /** Delivers messages until none are left. */
  async settle(workers: number): Promise<void> {
    for (let round = 0; round < 60; round++) {
      for (let worker = 0; worker < workers; worker++) {
        this.begin(worker);
        this.ready(worker);
        this.hear(worker);
        await settled();
        this.answer(worker);
      }
    }
  }

  #adoptionOf(worker: number): Adoption {
    let preparedGeneration = 0;
    let preparedSockets: number[] = [];
    return new Adoption({
      create: async (plan) => {
        await settled();
        if (this.#refusers.get(plan.generation) === worker) throw new Error('not in this one');
        const tables = { generation: plan.generation } as EngineTables;
        return { runtime: { plan } as unknown as Runtime, tables };
      },
      whole: (plan) => Promise.resolve(plan),
      engine: {
        prepare: ({ generation }, sockets) => {
          preparedGeneration = generation;
          preparedSockets = numbersOf(sockets);
        },
        commit: () => {
          const life = this.#lives.get(worker);
          if (life) [life.has, life.sockets] = [preparedGeneration, preparedSockets];
          this.adopted.add(preparedGeneration);
        },
        discard: () => {
          preparedGeneration = 0;
        },
      },
      runtimes: { add() {} },
      apply() {},
      answer: (answer) => this.#lives.get(worker)?.fromWorker.push(answer),
    });
  }
}

const numbersOf = (sockets: readonly ListeningSocket[]) => sockets.map(({ socket }) => socket);

const WORKERS = 3;
const anyWorker = fc.nat(WORKERS - 1);
const anyStep = fc.oneof(
  // A quarter of the Plans are refused by one worker.
  fc.record({ do: fc.constant('publish' as const), worker: fc.nat(4 * WORKERS) }),
  fc.record({
    do: fc.constantFrom(
      'begin',
      'ready',
      'die',
      'leave',
      'hear',
      'hear',
      'hear',
      'answer',
      'answer',
      'answer',
    ) as fc.Arbitrary<'begin' | 'ready' | 'die' | 'leave' | 'hear' | 'answer'>,
    worker: anyWorker,
  }),
);

test('whatever happens, in whatever order: in the end every worker has the Plan in force, and every caller an answer', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyStep, { maxLength: 60 }), async (steps) => {
      const crew = new Crew(WORKERS);
      for (const { do: what, worker } of steps) {
        crew[what](worker);
        if (what === 'hear') await settled();
        // No worker is ahead of what has been committed.
        for (const generation of crew.generations)
          expect(generation).toBeLessThanOrEqual(crew.publisher.plan.generation);
      }
      await crew.settle(WORKERS);
      const inForce = crew.publisher.plan.generation;
      for (let worker = 0; worker < WORKERS; worker++) expect(crew.upToDate(worker)).toBe(inForce);
      for (const { has, worker, sockets } of crew.holdings())
        expect(sockets).toEqual(numbersOf(planOf(has).deliver(worker).sockets));
      expect(crew.results.size).toBe(steps.filter((step) => step.do === 'publish').length);
      for (const [generation, { result }] of crew.results) {
        if (result !== 'committed') expect(crew.adopted).not.toContain(generation);
      }
    }),
    { numRuns: 200 },
  );
});

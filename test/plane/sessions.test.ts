/** Questions about live sessions to workers that answer, answer late, hang or die. */
import { describe, expect, test } from 'vitest';
import type { SessionReply, ToWorker } from '../../src/model/message.js';
import type { SessionInfo } from '../../src/model/session-list.js';
import { LiveSessions, sessionRequestLimits } from '../../src/plane/sessions.js';
import { FakeClock, settled } from '../base/fake-clock.js';

type Asked = Extract<ToWorker, { type: 'sessions' }> & { readonly worker: number };

function stage(workers = 2) {
  const clock = new FakeClock();
  const asked: Asked[] = [];
  const running = Array.from({ length: workers }, (_, worker) => worker);
  const post = (worker: number, message: ToWorker) => {
    if (message.type === 'sessions') asked.push({ ...message, worker });
  };
  const live = new LiveSessions({ running: () => running, post }, clock);
  /** The worker's answer to its latest question. */
  const reply = (worker: number, answer: SessionReply) => {
    const { request = -1 } = asked.findLast((each) => each.worker === worker) ?? {};
    live.answered(request, answer);
  };
  return { clock, asked, live, reply };
}

function session(id: string, second: number, bytesUp = 0): SessionInfo {
  return {
    id,
    worker: Number(id[0]),
    listener: 'front',
    protocol: null,
    stage: 'sniff',
    transport: 'tcp',
    source: '192.0.2.1:1',
    route: null,
    upstream: null,
    endpoint: null,
    bytesUp,
    bytesDown: 0,
    startedAt: new Date(second * 1000).toISOString(),
    durationMs: 0,
    idleMs: null,
  };
}

const listed = (...sessions: SessionInfo[]): SessionReply => ({
  type: 'listed',
  sessions,
  matching: sessions.length,
});

describe('a list', () => {
  const all = [session('0-1-1', 1, 9), session('0-2-1', 3, 1), session('1-1-1', 2, 5)];

  test.each([
    { order: undefined, ids: ['0-2-1', '1-1-1', '0-1-1'] },
    { order: 'oldest', ids: ['0-1-1', '1-1-1', '0-2-1'] },
    { order: 'largest', ids: ['0-1-1', '1-1-1', '0-2-1'] },
  ] as const)('is merged from all workers: $order', async ({ order, ids }) => {
    const { live, reply } = stage();
    const list = live.list({ order });
    reply(1, listed(...all.slice(2)));
    reply(0, listed(...all.slice(0, 2)));
    const { sessions, matching, missing } = await list;
    expect(sessions.map(({ id }) => id)).toEqual(ids);
    expect({ matching, missing }).toEqual({ matching: 3, missing: [] });
  });

  test('is cut at the limit, of which each worker is told', async () => {
    const { live, reply, asked } = stage();
    const list = live.list({ limit: 2 });
    expect(asked.map(({ ask }) => ask)).toEqual(Array(2).fill({ type: 'list', query: { limit: 2 } }));
    reply(0, listed(...all.slice(0, 2)));
    reply(1, listed(...all.slice(2)));
    expect((await list).sessions).toHaveLength(2);
  });

  test('names the workers that did not answer in time; a late answer does no harm', async () => {
    const { live, reply, clock } = stage();
    const list = live.list({});
    reply(0, listed(...all.slice(0, 2)));
    await clock.pass(sessionRequestLimits.replyMsMax);
    expect(await list).toMatchObject({ matching: 2, missing: [1] });
    reply(1, listed(...all.slice(2)));
  });

  test('does not wait for a worker that dies', async () => {
    const { live, reply } = stage();
    const list = live.list({});
    live.gone(1);
    reply(0, listed());
    expect(await list).toMatchObject({ matching: 0, missing: [1] });
  });
});

test('counts are the sums of all workers', async () => {
  const { live, reply } = stage();
  const counted = live.count();
  const none = new Map<string, number>();
  const of = (...entries: [string, number][]): SessionReply => ({
    type: 'counted',
    counts: {
      listeners: new Map(entries),
      protocols: none,
      routes: none,
      upstreams: none,
      endpoints: none,
    },
  });
  reply(0, of(['front', 2], ['back', 1]));
  reply(1, of(['front', 3]));
  expect((await counted).listeners).toEqual(
    new Map([
      ['front', 5],
      ['back', 1],
    ]),
  );
});

describe('the end of a session', () => {
  test('is asked of its worker alone', async () => {
    const { live, reply, asked } = stage();
    const ended = live.end('1-7-16777215');
    expect(asked).toMatchObject([{ worker: 1, ask: { type: 'end', slot: 7, generation: 16777215 } }]);
    reply(1, { type: 'ended', found: true });
    expect(await ended).toBe('ended');
  });

  test('is unknown where there is no such session', async () => {
    const { live, reply } = stage();
    const ended = live.end('1-7-9');
    reply(1, { type: 'ended', found: false });
    expect(await ended).toBe('unknown');
  });

  test.each(['', '1-7', '2-7-9', '1-7-9 ', '-1-7-9', '1-7-9-1', 'a-b-c', '1e3-7-9', `1-${'7'.repeat(99)}-9`])(
    'is unknown for `%s`, and nobody is asked',
    async (id) => {
      const { live, asked } = stage();
      expect(await live.end(id)).toBe('unknown');
      expect(asked).toEqual([]);
    },
  );

  test('is told to have no answer from a worker that hangs', async () => {
    const { live, clock } = stage();
    const ended = live.end('0-7-9');
    await clock.pass(sessionRequestLimits.replyMsMax);
    expect(await ended).toBe('no_answer');
  });
});

test('questions under way are bounded: one beyond has no answer, at once', async () => {
  const { live, clock, asked } = stage();
  const waiting = Array.from({ length: sessionRequestLimits.pendingMax }, () => live.end('0-7-9'));
  expect(await live.end('0-7-9')).toBe('no_answer');
  expect(asked).toHaveLength(sessionRequestLimits.pendingMax);
  await clock.pass(sessionRequestLimits.replyMsMax);
  await settled();
  expect(new Set(await Promise.all(waiting))).toEqual(new Set(['no_answer']));
});

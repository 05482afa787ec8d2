/** What the primary says of sources, and what a worker makes of it at the next connection. */
import { beforeEach, expect, test } from 'vitest';
import { type AdmissionLists, native } from '../../src/addon.js';
import { checks, reasons, refusals } from '../../src/model/session.js';
import { openAdmission } from '../support/plan.js';
import { dial, echo, type Upstream } from '../support/tcp.js';
import { eventually } from '../support/wait.js';
import { ids, limits, type Plane, planFor, upstream, useStage } from './plane.js';

const stage = useStage();
let server: Upstream;
let plane: Plane;

beforeEach(async () => {
  server = await stage.serve(echo);
  plane = await stage.start(planFor([upstream('echo', server.port)]));
});

const nobody: AdmissionLists = { denied: null, allowed: null, trusted: null };
const listOf = (...networks: string[]) => new native.Prefixes(networks);
const setLists = (all: Partial<AdmissionLists>) =>
  plane.admission.setLists({ all: { ...nobody, ...all }, listeners: [] });

/** Whether a client of this address gets an answer. */
async function isServed(from?: string): Promise<boolean> {
  const client = await dial(plane.port, from).catch(() => null);
  client?.send('aa');
  if (client === null) return false;
  await eventually('an answer, or the end', () => client.length > 0 || client.ending !== undefined);
  client.reset();
  return client.length > 0;
}

const refused = (reason: string) => plane.metric('anyport_refused_total', { reason });

test('refusals are a range of the reasons, in the same order', () => {
  const first = reasons.indexOf(refusals[0]);
  expect(reasons.slice(first, first + refusals.length)).toEqual(refusals);
  expect(native.codes.checks).toEqual(checks);
});

test('ip_blacklist, allow_only and ip_whitelist, in their order', async () => {
  setLists({ denied: listOf('127.0.0.2/32', '127.0.0.4/32'), trusted: listOf('127.0.0.4/32') });
  expect([await isServed(), await isServed('127.0.0.2'), await isServed('127.0.0.4')]).toEqual([
    true,
    false,
    false,
  ]);
  expect(refused('denied')).toBe(2);
  setLists({ allowed: listOf('127.0.0.2/32') });
  expect([await isServed(), await isServed('127.0.0.2')]).toEqual([false, true]);
  const line = await eventually('its line', () =>
    plane.records().find(({ error }) => error === 'allow_only'),
  );
  expect(line).toMatchObject({
    reason: 'denied',
    by: 'proxy',
    during: 'admit',
    source: expect.stringMatching(/^127\.0\.0\.1:/),
  });
  setLists({});
  expect([await isServed(), await isServed('127.0.0.2')]).toEqual([true, true]);
});

test("a listener's lists hold besides, for this listener alone", async () => {
  const id = ids.idOf('listener', 'front');
  const denied = { ...nobody, denied: listOf('127.0.0.2/32') };
  plane.admission.setLists({ all: nobody, listeners: [{ id: id + 1, ...denied }] });
  expect(await isServed('127.0.0.2')).toBe(true);
  plane.admission.setLists({ all: nobody, listeners: [{ id, ...denied }] });
  expect([await isServed('127.0.0.2'), await isServed()]).toEqual([false, true]);
});

test('a ban by the operator, and its end', async () => {
  expect(plane.admission.ban('127.0.0.2', 60_000)).toBe(true);
  expect([await isServed('127.0.0.2'), await isServed()]).toEqual([false, true]);
  expect(refused('banned')).toBe(1);
  const [ban] = plane.admission.bans();
  expect(ban).toMatchObject({ address: '127.0.0.2', reason: 'operator' });
  expect(ban?.leftMs).toBeGreaterThan(0);
  expect(ban?.leftMs).toBeLessThanOrEqual(60_000);
  expect(plane.admission.counts()).toMatchObject({ bansActive: 1, bans: { operator: 1 }, lifted: 0 });
  expect([plane.admission.lift('127.0.0.2'), plane.admission.lift('127.0.0.2')]).toEqual([true, false]);
  expect(await isServed('127.0.0.2')).toBe(true);
});

test('what is no address, no time or no list is an error that says so', () => {
  expect(() => plane.admission.ban('nobody', 1000)).toThrow('nobody is no address');
  expect(() => plane.admission.ban('127.0.0.1', 0)).toThrow('ms');
  expect(() => plane.admission.lift('')).toThrow('no address');
  expect(() => setLists({ denied: {} as never })).toThrow('Prefixes are expected');
  expect(() => new native.Admission({ room: new Int32Array(1) })).toThrow('the room is too small');
});

test('a source that is over its rate is refused, and one that is trusted is not', async () => {
  const admission = { ...openAdmission, rate: 1, burst: 2 };
  await plane.adopt(
    planFor([upstream('echo', server.port)], { generation: 2, limits: { ...limits, admission } }),
  );
  setLists({ trusted: listOf('127.0.0.2/32') });
  for (let each = 0; each < 6; each += 1) {
    await isServed();
    expect(await isServed('127.0.0.2')).toBe(true);
  }
  expect(refused('rate_limited')).toBeGreaterThan(0);
  expect(plane.metric('anyport_accepted_total')).toBe(
    plane.metric('anyport_sessions_total') + plane.metric('anyport_sessions_active'),
  );
});

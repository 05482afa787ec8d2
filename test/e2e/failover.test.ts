/**
 * Endpoints that die, come back, flap, are drained, weighed and renamed under steady load, with two workers. No session
 * fails but those that had reached an endpoint that died. The figures are printed.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Daemon, type LogLine, type SessionLine, startDaemon } from '../support/daemon.js';
import { freePort } from '../support/ports.js';
import { type LoadFigures, type SteadyLoad, startEndpoint, startLoad } from '../support/steady.js';
import { listenTcp } from '../support/tcp.js';
import { isAlive, startGenerations } from '../support/upgrade.js';
import { eventually } from '../support/wait.js';

type Endpoint = Awaited<ReturnType<typeof startEndpoint>>;

const check = { type: 'tcp', interval: '100ms', timeout: '500ms', rise: 2, fall: 3, jitter: 0 };
const DOWN_MS = 3 * 100 + 500;
const UP_MS = 2 * 100 + 500;
/** The machine may be busy with other things. */
const SLACK = 10;
const DIAL_MS = 60_000;
const shape = { rate: 200, long: 30, intervalMs: 50 };

let daemon: Daemon;
let load: SteadyLoad | undefined;
let endpoints: Endpoint[];
const started: Endpoint[] = [];

async function start(port?: number): Promise<Endpoint> {
  const endpoint = await startEndpoint(port);
  started.push(endpoint);
  return endpoint;
}

beforeEach(async () => {
  endpoints = await Promise.all([start(), start(), start()]);
});

afterEach(async () => {
  load?.kill();
  load = undefined;
  if (daemon.child.exitCode === null) await daemon.stop();
  for (const endpoint of started.splice(0)) await endpoint.stop();
});

const configOf = (listed: readonly unknown[], upstream: object = {}, sections: object = {}) => ({
  server: { workers: 2 },
  protocols: [{ name: 'Redis', target: 'cache' }],
  upstreams: { cache: { endpoints: listed, health_check: check, ...upstream } },
  ...sections,
});
const targets = () => endpoints.map(({ target }) => target);

const kill = (endpoint: Endpoint) => void endpoint.child.kill('SIGKILL');
const revive = ({ target }: Endpoint) => start(Number(target.split(':')[1]));

const told = (message: string, target: string, from = 0) =>
  daemon.lines.slice(from).filter(({ msg, endpoint }) => msg === message && endpoint === target);

/** Milliseconds until the log says it, from now on. */
async function until(message: string, target: string, from: number): Promise<number> {
  const sinceMs = performance.now();
  await eventually(`${message}: ${target}`, () => told(message, target, from).length > 0);
  return Math.round(performance.now() - sinceMs);
}

/** Ends the load; resolves when the log has every session of it. */
async function finish(): Promise<LoadFigures & { failures: string }> {
  const figures = await (load as SteadyLoad).stop();
  await daemon.metricBecomes('anyport_sessions_active', 0);
  const ended = await daemon.metric('anyport_sessions_total');
  await daemon.ended(ended);
  return figures;
}

/** Sessions that are over and have begun after a moment. */
const begunSince = (ms: number): SessionLine[] =>
  daemon.sessions.filter(({ time, duration_ms }) => Date.parse(`${time}`) - duration_ms > ms);

/** Sessions by their endpoint. */
function countOf(sessions: readonly SessionLine[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { endpoint } of sessions) counts[String(endpoint)] = (counts[String(endpoint)] ?? 0) + 1;
  return counts;
}

/** Ended by something else than their client's FIN: a killed endpoint's idle connections end with a FIN too. */
const failed = () => daemon.sessions.filter(({ reason, by }) => reason !== 'done' || by !== 'client');
/** The log may have more: sessions whose endpoint died behind its answer, before they were closed. */
const everyFailureIsIn = (lost: readonly SessionLine[], figures: LoadFigures) =>
  expect(lost.length).toBeGreaterThanOrEqual(figures.failed + figures.cut);
const print = (title: string, figures: object) => console.log(`${title}: ${JSON.stringify(figures)}`);
const connectFailures = (endpoint: string) => daemon.metric('anyport_connect_failures_total', { endpoint });

test('one of three is killed: only sessions that were there fail, none goes there once it is down; it comes back', async () => {
  daemon = await startDaemon(configOf(targets()));
  const [a] = endpoints as [Endpoint, Endpoint, Endpoint];
  load = await startLoad([daemon.port], shape);
  await sleep(300);
  const there = await daemon.metric('anyport_endpoint_sessions', { endpoint: a.target });
  let from = daemon.lines.length;
  kill(a);
  const downMs = await until('endpoint is down', a.target, from);
  const down = Date.now() + 1;
  // A session that was picked before may be on its way.
  await eventually('sessions', () => begunSince(down).length > 50);
  const retried = await connectFailures(a.target);
  await eventually('sessions', () => begunSince(down).length > 150);
  expect(await connectFailures(a.target)).toBe(retried);
  expect(countOf(begunSince(down))).not.toHaveProperty(a.target);
  from = daemon.lines.length;
  const revived = await revive(a);
  const upMs = await until('endpoint is up', a.target, from);
  await eventually(
    'sessions at it',
    () => countOf(daemon.lines.slice(from).filter(isSession))[revived.target],
  );
  const figures = await finish();
  const lost = failed();
  print('killed under load', {
    ...{ down_ms: downMs, up_ms: upMs, there, retried },
    ...{ ended: lost.length, sessions: figures.sessions, failed: figures.failed, cut: figures.cut },
  });
  expect(Object.keys(countOf(lost))).toEqual([a.target]);
  everyFailureIsIn(lost, figures);
  for (const session of lost) expect(session).toMatchObject({ during: 'relay', by: 'upstream' });
  expect(figures.cut).toBeGreaterThan(0);
  expect(downMs).toBeLessThan(SLACK * DOWN_MS);
  expect(upMs).toBeLessThan(SLACK * UP_MS);
});

const isSession = (line: LogLine): line is SessionLine => line.msg === 'session';

test('all are killed: no_endpoint at once; then they recover, and no session fails any more', async () => {
  daemon = await startDaemon(configOf(targets(), { dial_timeout: `${DIAL_MS}ms` }));
  load = await startLoad([daemon.port], { ...shape, long: 1 });
  for (const endpoint of endpoints) kill(endpoint);
  await eventually('all to be down', () =>
    targets().every((target) => told('endpoint is down', target).length > 0),
  );
  const down = Date.now() + 1;
  await eventually('sessions', () => begunSince(down).length > 50);
  const refused = begunSince(down);
  expect(new Set(refused.map(({ reason }) => reason))).toEqual(new Set(['no_endpoint']));
  const slowestMs = Math.max(...refused.map(({ duration_ms }) => duration_ms));
  const backFrom = daemon.lines.length;
  const sinceMs = performance.now();
  await Promise.all(endpoints.map(revive));
  await Promise.all(targets().map((target) => until('endpoint is up', target, backFrom)));
  const upMs = Math.round(performance.now() - sinceMs);
  const well = Date.now() + 1;
  await eventually('sessions', () => begunSince(well).length > 100);
  const figures = await finish();
  print('all killed under load', {
    ...{ no_endpoint: failed().filter(({ reason }) => reason === 'no_endpoint').length },
    ...{ slowest_refusal_ms: slowestMs, up_ms: upMs, sessions: figures.sessions, failed: figures.failed },
  });
  // A refusal does not wait for dial_timeout.
  expect(slowestMs).toBeLessThan(DIAL_MS / 2);
  expect(begunSince(well).filter(({ reason }) => reason !== 'done')).toEqual([]);
});

test('one that flaps each 300 ms: no session fails that had not reached it, and the log stays small', async () => {
  daemon = await startDaemon(configOf(targets()));
  const [a] = endpoints as [Endpoint, Endpoint, Endpoint];
  load = await startLoad([daemon.port], shape);
  let current = a;
  const sinceMs = performance.now();
  for (let round = 0; round < 5; round += 1) {
    kill(current);
    await sleep(300);
    current = await revive(a);
    await sleep(300);
  }
  const intervals = (performance.now() - sinceMs) / 100;
  const retried = await connectFailures(a.target);
  const figures = await finish();
  const lost = failed();
  const lines = daemon.lines.filter(({ msg }) => /^endpoint is/.test(msg)).length;
  print('flapping under load', {
    ...{ lines, retried, ended: lost.length },
    ...{ sessions: figures.sessions, failed: figures.failed, cut: figures.cut },
  });
  expect(Object.keys(countOf(lost))).toEqual([a.target]);
  everyFailureIsIn(lost, figures);
  expect(lines).toBeLessThanOrEqual(intervals / 2);
});

test('weights, a backup, draining: each change under load loses nothing, and holds for the next session', async () => {
  const adminPort = await freePort();
  const [a, b, c] = targets() as [string, string, string];
  const listed = (weight: number) => [
    { address: a, weight },
    { address: b, weight: 1 },
    { address: c, backup: true },
  ];
  const sections = { admin: { listen: `127.0.0.1:${adminPort}` } };
  daemon = await startDaemon(configOf(listed(3), { balance: 'weighted_round_robin' }, sections));
  load = await startLoad([daemon.port], { ...shape, long: 1 });
  /** Who served sessions that began from now on. */
  const served = async () => {
    const now = Date.now() + 1;
    await eventually('sessions', () => begunSince(now).length >= 100);
    return countOf(begunSince(now));
  };
  const set = async (endpoint: string, state: string) => {
    const path = `upstreams/cache/endpoints/${encodeURIComponent(endpoint)}`;
    const answer = await fetch(`http://127.0.0.1:${adminPort}/api/v1/${path}`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ state }),
    });
    expect(answer.status).toBe(200);
  };
  const weighed = await served();
  print('weights 3:1 under load', weighed);
  expect(weighed[a] as number).toBeGreaterThan(2 * (weighed[b] as number));
  expect(weighed).not.toHaveProperty(c);
  await daemon.reload(configOf(listed(0), { balance: 'weighted_round_robin' }, sections));
  expect(Object.keys(await served())).toEqual([b]);
  await set(b, 'drain');
  expect(Object.keys(await served())).toEqual([c]);
  await set(b, 'up');
  expect(Object.keys(await served())).toEqual([b]);
  const figures = await finish();
  expect(figures).toMatchObject({ failed: 0, cut: 0, failures: '' });
});

test('reloads and an end with probes in flight: nothing is lost, no probe is reported, and the end waits for none', async () => {
  const silent = await blackHole();
  const checks = { health_check: { ...check, type: 'agent', port: silent.port, timeout: '60s' } };
  daemon = await startDaemon(configOf(targets(), checks));
  load = await startLoad([daemon.port], shape);
  await eventually('probes in flight', () => silent.open() === 3);
  for (const retries of [1, 2, 3]) {
    expect(await daemon.reload(configOf(targets(), { ...checks, retries }))).toMatchObject({
      msg: 'reloaded',
    });
    expect(silent.taken()).toBe(3);
  }
  const other = { health_check: { ...checks.health_check, rise: 1 } };
  await daemon.reload(configOf(targets(), other));
  await eventually('probes to be begun anew', () => silent.taken() === 6 && silent.open() === 3);
  await daemon.reload(configOf(targets(), { health_check: undefined }));
  await eventually('probes to be called off', () => silent.open() === 0);
  await daemon.reload(configOf(targets(), other));
  await eventually('probes', () => silent.open() === 3);
  expect(await finish()).toMatchObject({ failed: 0, cut: 0, failures: '' });
  expect(daemon.lines.filter(({ msg }) => /^endpoint is/.test(msg))).toEqual([]);
  const sinceMs = performance.now();
  daemon.signal('SIGTERM');
  expect(await daemon.exit()).toBe(0);
  const endMs = Math.round(performance.now() - sinceMs);
  print('end with probes in flight', { end_ms: endMs });
  // Far less than a probe's timeout.
  expect(endMs).toBeLessThan(20_000);
  silent.close();
});

/** Takes connections and says nothing. */
async function blackHole() {
  const server = await listenTcp();
  return {
    port: server.port,
    taken: () => server.peers.length,
    open: () => server.peers.filter(({ ending }) => ending === undefined).length,
    close: () => void server.close(),
  };
}

test('an upgrade in place with probes in flight: no session is lost, and those of the process before end with it', async () => {
  const silent = await blackHole();
  const checks = { health_check: { ...check, type: 'agent', port: silent.port, timeout: '60s' } };
  const generations = await startGenerations(configOf(targets(), checks));
  daemon = generations.daemon;
  load = await startLoad([daemon.port], { ...shape, long: 1 });
  await eventually('probes in flight', () => silent.open() === 3);
  const before = generations.pid;
  await generations.upgrade();
  expect(await load.stop()).toMatchObject({ failed: 0, cut: 0, failures: '' });
  await eventually('the process before to end', () => !isAlive(before));
  await eventually('its probes to end', () => silent.open() === 3);
  expect(silent.taken()).toBe(6);
  expect(daemon.lines.filter(({ msg }) => /^endpoint is/.test(msg))).toEqual([]);
  generations.signal('SIGTERM');
  await eventually('the end', () => generations.living.length === 0);
  await eventually('no probe', () => silent.open() === 0);
  await generations.stop();
  silent.close();
});

/** Endpoints with several addresses: tried in parallel, and no byte goes to one that does not win (RFC 8305). */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import type { InetAddress } from '../../src/model/address.js';
import type { Plan, PlanEndpoint } from '../../src/model/plan.js';
import { optionsWith } from '../support/plan.js';
import { freePort } from '../support/ports.js';
import { listenSilently } from '../support/silent.js';
import { dial, echo, listenTcp } from '../support/tcp.js';
import { eventually, waited } from '../support/wait.js';
import { endpoint, limits, planFor, upstream, useStage } from './plane.js';

const { serve, start } = useStage();

const ATTEMPT_DELAY_MS = 250;

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

async function silent(host?: string) {
  const address = await listenSilently(host);
  cleanups.push(() => address.close());
  return address;
}

const refusing = async (): Promise<InetAddress> => ({ host: '127.0.0.1', port: await freePort() });
const at = (port: number, host = '127.0.0.1'): InetAddress => ({ host, port });

function planTo(addresses: readonly InetAddress[], dialTimeoutMs = 5000, ...others: number[]) {
  const named: PlanEndpoint = { ...endpoint(1), name: 'named:1', addresses };
  const endpoints = [named, ...others.map((port) => ({ ...endpoint(port), backup: true }))];
  const options = optionsWith({ retries: others.length });
  return planFor([{ ...upstream('a'), endpoints, options }], { limits: { ...limits, dialTimeoutMs } });
}

const withOptions = (plan: Plan, options: Parameters<typeof optionsWith>[0]): Plan => ({
  ...plan,
  upstreams: plan.upstreams.map((each) => ({ ...each, options: optionsWith(options) })),
});

/** At most so many more descriptors; returns what lifts it. */
function limitFiles(more: number): () => void {
  const highest = Math.max(...readdirSync('/proc/self/fd').map(Number));
  const limit = (count: number) => execFileSync('prlimit', [`--pid=${process.pid}`, `--nofile=${count}:`]);
  limit(highest + more);
  return () => limit(4096);
}

/** Opens files until there is no descriptor left. */
function fill(): number[] {
  const fds: number[] = [];
  try {
    for (;;) fds.push(openSync('/dev/null', 'r'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EMFILE') throw error;
  }
  return fds;
}

/** Sessions that are measured: what else the machine does makes some of them slower. */
const SESSIONS = 3;

/** Connect time of sessions that are echoed, in milliseconds: the shortest. */
async function connectMs(addresses: readonly InetAddress[]): Promise<number> {
  const plane = await start(planTo(addresses));
  for (let n = 1; n <= SESSIONS; n += 1) {
    const client = (await dial(plane.port)).send('aa hello').finish();
    await client.end();
    expect(client.received.toString()).toBe('aa hello');
    await eventually('its record', () => plane.records().length === n);
  }
  expect(plane.metric('anyport_connect_failures_total')).toBe(0);
  return Math.min(...plane.records().map(({ connect_ms }) => Number(connect_ms)));
}

describe('an endpoint with several addresses', () => {
  test('one that says nothing is followed by the next one after a quarter of a second', async () => {
    const server = await serve(echo);
    const ms = await connectMs([await silent(), at(server.port)]);
    expect(ms).toBeGreaterThan(waited(ATTEMPT_DELAY_MS));
    expect(ms).toBeLessThan(ATTEMPT_DELAY_MS * 4);
  });

  test('one that refuses is followed at once', async () => {
    const server = await serve(echo);
    expect(await connectMs([await refusing(), at(server.port)])).toBeLessThan(ATTEMPT_DELAY_MS);
  });

  test('the other family has the second turn', async () => {
    const server = await serve(echo);
    const ms = await connectMs([await silent('::1'), await silent('::1'), at(server.port)]);
    expect(ms).toBeLessThan(ATTEMPT_DELAY_MS * 2);
  });

  test('one that is slow wins where the other says nothing', async () => {
    const slow = await silent();
    const plane = await start(planTo([slow, await silent()]));
    const client = (await dial(plane.port)).send('aa hello');
    await sleep(ATTEMPT_DELAY_MS * 2);
    // There is place for it now; its SYN is sent again within a second.
    const received: string[] = [];
    slow.serve((socket) => socket.on('data', (bytes) => received.push(bytes.toString())).pipe(socket));
    await client.bytes(8);
    expect(received).toEqual(['aa hello']);
    client.socket.destroy();
  });

  test('one that connects at once is the only one that is asked', async () => {
    const winner = await serve(echo);
    const other = await serve(echo);
    const plane = await start(planTo([at(winner.port), at(other.port)]));
    const client = (await dial(plane.port)).send('aa').finish();
    await client.end();
    expect(other.peers).toEqual([]);
  });

  test('all refuse: one failure is counted, and another endpoint is tried', async () => {
    const server = await serve(echo);
    const dead = [await refusing(), await refusing(), await refusing()];
    const plane = await start(planTo(dead, 5000, server.port));
    const client = (await dial(plane.port)).send('aa').finish();
    await client.end();
    expect(client.received.toString()).toBe('aa');
    expect(plane.metric('anyport_connect_failures_total')).toBe(1);
  });

  test('none answers: it is over after one dial_timeout for all', async () => {
    const plane = await start(planTo([await silent(), await silent(), await silent()], 600));
    const client = (await dial(plane.port)).send('aa');
    expect(await client.end()).toBe('reset');
    await eventually('its record', () => plane.records().length === 1);
    expect(plane.records()[0]).toMatchObject({ reason: 'connect_timeout', by: 'timeout', during: 'connect' });
    expect(plane.records()[0]?.duration_ms).toBeLessThan(600 * 3);
    expect(plane.metric('anyport_connect_failures_total', { reason: 'connect_timeout' })).toBe(1);
  });

  test('one that no source of ours is for is passed over, and counts only if none connects', async () => {
    const server = await listenTcp(echo, '::1');
    cleanups.push(() => void server.close());
    const source = { address: ['192.0.2.1', '::1'] };
    const addresses = [await silent(), at(server.port, '::1')];
    const plane = await start(withOptions(planTo(addresses), { source }));
    const client = (await dial(plane.port)).send('aa').finish();
    await client.end();
    expect(client.received.toString()).toBe('aa');
    expect(plane.metric('anyport_dial_shortages_total')).toBe(0);
    const alone = await start(withOptions(planTo([await silent()]), { source }));
    expect(await (await dial(alone.port)).send('aa').end()).toBe('reset');
    expect(alone.metric('anyport_dial_shortages_total', { lacking: 'source' })).toBe(1);
  });

  test('no descriptor for a further attempt: those before it go on', async () => {
    const slow = await silent();
    const plane = await start(planTo([slow, await silent()]));
    const restore = limitFiles(64);
    const filled = fill();
    // For the client, its session, and one attempt.
    for (const fd of filled.splice(0, 3)) closeSync(fd);
    const client = (await dial(plane.port)).send('aa');
    await eventually('a session', () => plane.open() === 1);
    await sleep(ATTEMPT_DELAY_MS * 2);
    expect(plane.open()).toBe(1);
    expect(() => openSync('/dev/null', 'r')).toThrow('EMFILE');
    for (const fd of filled) closeSync(fd);
    restore();
    slow.serve((socket) => socket.pipe(socket));
    await client.bytes(2);
    expect(plane.metric('anyport_dial_shortages_total')).toBe(0);
    client.socket.destroy();
  });

  test('a client that goes meanwhile takes its attempts with it', async () => {
    const plane = await start(planTo([await silent(), await silent()]));
    const client = (await dial(plane.port)).send('aa');
    await eventually('a session', () => plane.open() === 1);
    await sleep(ATTEMPT_DELAY_MS);
    client.reset();
    await eventually('its record', () => plane.records().length === 1);
    expect(plane.open()).toBe(0);
    expect(plane.records()[0]).toMatchObject({ reason: 'client_gone', during: 'connect' });
  });
});

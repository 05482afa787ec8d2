/** PROXY headers through the real engine: accepted from trusted peers only. */
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import type { PlanLimits, PlanListener } from '../../src/model/plan.js';
import { identifyFlight } from '../../src/protocols/flight.js';
import { readProxyHeader } from '../../src/protocols/proxy-header.js';
import { headers, refused, tlv, withTlvs } from '../cases/proxy-headers.js';
import { listedRoutes } from '../support/plan.js';
import { dial, echo, listenTcp, type Upstream } from '../support/tcp.js';
import { eventually } from '../support/wait.js';
import { limits, type Plane, planFor, startPlane, upstream } from './plane.js';

const trustedPeer = '127.0.0.1';
const stranger = '127.0.0.2';
const v1 = 'PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n';
const v2 = Buffer.from(
  '0d0a0d0a000d0a515549540a 2111 000c c0000201 c6336407 dc04 01bb'.replaceAll(' ', ''),
  'hex',
);
const v6 = 'PROXY TCP6 2001:db8::1 2001:db8::2 56324 443\r\n';

const headerCases = headers.filter(({ bytes }) => bytes.length > 0);
const refusedCases = refused.filter(({ why }) => why !== 'another protocol');

/** A mutated header of the table: bytes overwritten, inserted or removed. */
const mutants = fc
  .tuple(
    fc.constantFrom(...headers.filter(({ bytes }) => bytes.length < 1024).map(({ bytes }) => bytes)),
    fc.array(fc.tuple(fc.nat(), fc.constantFrom('set', 'insert', 'remove'), fc.nat(255)), { maxLength: 3 }),
  )
  .map(([bytes, changes]) => {
    const list = [...bytes];
    for (const [position, how, value] of changes) {
      const at = position % list.length;
      if (how === 'set') list[at] = value;
      else list.splice(at, how === 'remove' && list.length > 1 ? 1 : 0, ...(how === 'insert' ? [value] : []));
    }
    return Buffer.from(list);
  });

const cleanups: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Running {
  readonly plane: Plane;
  readonly server: Upstream;
}

/** Echoes bytes that start with `aa`. */
async function start(
  listener: Partial<PlanListener> = {},
  change: Partial<PlanLimits> = {},
): Promise<Running> {
  const server = await listenTcp(echo);
  cleanups.push(() => server.close());
  const plan = planFor([upstream('a', server.port)], { limits: { ...limits, ...change } });
  const proxyProtocol = { trusted: [`${trustedPeer}/32`] };
  const listeners = plan.listeners.map((each) => ({ ...each, proxyProtocol, ...listener }));
  const plane = await startPlane({ ...plan, listeners });
  cleanups.push(() => plane.stop());
  return { plane, server };
}

/** HTTP for a.example is routed to the server by a rule on its name. */
async function startNamed(): Promise<Running> {
  const server = await listenTcp((peer) => void peer.send('served').finish());
  cleanups.push(() => server.close());
  const plan = planFor([upstream('a', server.port)]);
  const routes = listedRoutes([
    { when: { protocol: 1, host: 'a.example' }, to: { kind: 'upstream', upstream: 0 } },
  ]);
  const proxyProtocol = { trusted: [`${trustedPeer}/32`] };
  const plane = await startPlane({
    ...plan,
    routes,
    listeners: plan.listeners.map((each) => ({ ...each, proxyProtocol })),
  });
  cleanups.push(() => plane.stop());
  return { plane, server };
}

async function record(plane: Plane): Promise<Record<string, unknown>> {
  await eventually('a session in the log', () => plane.records().length > 0);
  return plane.records()[0] as Record<string, unknown>;
}

describe('a trusted peer', () => {
  const headers = [
    { why: 'v1', header: Buffer.from(v1), source: '192.0.2.1:56324' },
    { why: 'v1 over IPv6', header: Buffer.from(v6), source: '[2001:db8::1]:56324' },
    { why: 'v2', header: v2, source: '192.0.2.1:56324' },
  ];

  test.each(headers)(
    'announces the source, $why, and the header goes no further',
    async ({ header, source }) => {
      const { plane, server } = await start();
      const client = await dial(plane.port, trustedPeer);
      client.send(Buffer.concat([header, Buffer.from('aabb')])).finish();
      await client.end();
      expect(client.received.toString()).toBe('aabb');
      expect(server.peers[0]?.received.toString()).toBe('aabb');
      expect(await record(plane)).toMatchObject({ source, reason: 'done', bytes_up: 4, protocol: 'custom' });
    },
  );

  test.each(headers)('may send it byte by byte, $why', async ({ header, source }) => {
    const { plane } = await start();
    const client = await dial(plane.port, trustedPeer);
    for (const byte of Buffer.concat([header, Buffer.from('aabb')])) {
      client.send(Uint8Array.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await client.bytes(4)).toString()).toBe('aabb');
    client.finish();
    await client.end();
    expect(await record(plane)).toMatchObject({ source, bytes_up: 4 });
  });

  test.each(headerCases)('is read as `identify` reads it: $why', async ({ why, bytes }) => {
    const { plane, server } = await start();
    const client = await dial(plane.port, trustedPeer);
    client.send(Buffer.concat([bytes, Buffer.from('aabb')])).finish();
    await client.end();
    expect(server.peers[0]?.received.toString()).toBe('aabb');
    const { facts } = identifyFlight([bytes], 'tcp');
    expect(facts).toMatchObject({ proxy: why.slice(0, 2) });
    expect(await record(plane)).toMatchObject({ facts, reason: 'done', bytes_up: 4 });
  });

  test.each(refusedCases)('is refused as `identify` refuses it: $why', async ({ bytes }) => {
    const { plane, server } = await start();
    const client = await dial(plane.port, trustedPeer);
    // Nothing follows: an invalid header is refused at once.
    client.send(bytes);
    expect(await client.end()).toBe('reset');
    expect(await record(plane)).toMatchObject({ reason: 'rejected', during: 'sniff', by: 'proxy' });
    expect(server.peers).toEqual([]);
    expect(identifyFlight([bytes], 'tcp').facts).not.toHaveProperty('proxy');
  });

  test('is read as `identify` reads it, whatever it sends', { timeout: 240_000 }, async () => {
    const { plane } = await start();
    await fc.assert(
      fc.asyncProperty(mutants, async (header) => {
        const before = plane.records().length;
        const bytes = Buffer.concat([header, Buffer.from('aabb')]);
        const client = await dial(plane.port, trustedPeer);
        client.send(bytes).finish();
        await client.end();
        await eventually('a session in the log', () => plane.records().length > before);
        const said = plane.records()[before] as Record<string, unknown>;
        const answer = readProxyHeader(bytes, 'tcp');
        if (answer.verdict !== 'header') {
          expect(said.reason).toBe('rejected');
          return;
        }
        const { headerBytes, facts, addresses } = answer.header;
        expect(said.facts).toMatchObject(facts);
        expect(said.source).toBe(
          addresses && !addresses.source.startsWith('unix:') ? addresses.source : client.address,
        );
        const behind = bytes.subarray(headerBytes);
        if (behind.subarray(0, 2).equals(Buffer.from('aa'))) {
          expect(said).toMatchObject({ reason: 'done', bytes_up: behind.length });
        }
      }),
      { numRuns: 100, seed: 20_260_726 },
    );
  });

  test('is told of in the log when its client leaves before a word', async () => {
    const { plane } = await start();
    const client = await dial(plane.port, trustedPeer);
    client.send(withTlvs(tlv(0x02, 'a.example'))).finish();
    await client.end();
    expect(await record(plane)).toMatchObject({
      reason: 'client_gone',
      facts: { proxy: 'v2', proxy_authority: 'a.example', proxy_source: '192.0.2.1:56324' },
    });
  });

  test('may send a header and an opening that are both as long as can be', async () => {
    const { plane, server } = await start();
    const client = await dial(plane.port, trustedPeer);
    const opening = Buffer.concat([Buffer.from('aa'), Buffer.alloc(60_000, 'b')]);
    client.send(Buffer.concat([withTlvs(tlv(0x04, Buffer.alloc(0xffff - 15))), opening])).finish();
    await client.end();
    expect(server.peers[0]?.received.equals(opening)).toBe(true);
    expect(await record(plane)).toMatchObject({ reason: 'done', bytes_up: opening.length });
  });

  test('may speak for itself', async () => {
    const { plane } = await start();
    const client = await dial(plane.port, trustedPeer);
    client.send('PROXY UNKNOWN\r\naabb').finish();
    await client.end();
    expect(client.received.toString()).toBe('aabb');
    expect(await record(plane)).toMatchObject({ source: client.address, reason: 'done' });
  });

  const refused = [
    { why: 'no header', bytes: 'aabb' },
    { why: 'a header that is none', bytes: 'PROXY TCP4 no such address\r\naabb' },
    { why: 'the start of a header, and then its end', bytes: 'PROXY TCP4 192.0.2.1' },
  ];

  test.each(refused)('is refused: $why', async ({ bytes }) => {
    const { plane, server } = await start();
    const client = await dial(plane.port, trustedPeer);
    client.send(bytes).finish();
    expect(await client.end()).toBe('reset');
    expect(await record(plane)).toMatchObject({ reason: 'rejected', during: 'sniff', by: 'proxy' });
    expect(server.peers).toEqual([]);
  });

  test.each([
    ['v1', Buffer.from(v1)],
    ['v2', withTlvs(tlv(0x02, 'a'))],
  ])('is refused wherever its header ends too early: %s', async (_, header) => {
    const { plane, server } = await start();
    for (let end = 1; end < header.length; end++) {
      const client = await dial(plane.port, trustedPeer);
      client.send(header.subarray(0, end)).finish();
      expect({ end, ending: await client.end() }).toEqual({ end, ending: 'reset' });
    }
    await eventually('all in the log', () => plane.records().length === header.length - 1);
    const reasons = new Set(plane.records().map((record) => (record as { reason: string }).reason));
    expect([...reasons]).toEqual(['rejected']);
    expect(server.peers).toEqual([]);
  });

  test('is awaited no longer than any client', async () => {
    const { plane } = await start({}, { identifyTimeoutMs: 50 });
    const client = await dial(plane.port, trustedPeer);
    client.send('PROXY ');
    expect(await client.end()).toBe('reset');
    expect(await record(plane)).toMatchObject({ reason: 'identify_timeout', during: 'sniff', by: 'timeout' });
  });

  test('that closes after its header is no failure', async () => {
    const { plane } = await start();
    const client = await dial(plane.port, trustedPeer);
    client.send(v1).finish();
    await client.end();
    expect(await record(plane)).toMatchObject({ reason: 'client_gone', source: '192.0.2.1:56324' });
  });

  test('whose client is silent goes where silence goes', async () => {
    const onSilence = { afterMs: 20, to: { kind: 'upstream', upstream: 0 } } as const;
    const { plane, server } = await start({ onSilence });
    const client = await dial(plane.port, trustedPeer);
    client.send(v1);
    await eventually('a connection to the upstream', () => server.peers.length === 1);
    client.finish();
    await client.end();
    expect(await record(plane)).toMatchObject({ reason: 'done', source: '192.0.2.1:56324', bytes_up: 0 });
  });
});

describe('a rule on a name', () => {
  const cases = [
    { why: 'the header has the name', names: ['a.example'], host: '', reason: 'done' },
    { why: 'both have it', names: ['A.example'], host: 'a.example', reason: 'done' },
    { why: 'neither has it', names: ['b.example'], host: 'b.example', reason: 'no_route' },
    { why: 'the header has another', names: ['b.example'], host: 'a.example', reason: 'rejected' },
    { why: 'the request has another', names: ['a.example'], host: 'b.example', reason: 'rejected' },
    { why: 'the header has two', names: ['a.example', 'b.example'], host: 'a.example', reason: 'rejected' },
    { why: 'the header has what is no name', names: ['a example'], host: 'a.example', reason: 'rejected' },
  ];
  test.each(cases)('$why: $reason', async ({ names, host, reason }) => {
    const { plane, server } = await startNamed();
    const client = await dial(plane.port, trustedPeer);
    const line = host === '' ? '' : `Host: ${host}\r\n`;
    const request = `GET / HTTP/1.${host === '' ? 0 : 1}\r\n${line}\r\n`;
    client.send(Buffer.concat([withTlvs(...names.map((name) => tlv(0x02, name))), Buffer.from(request)]));
    client.finish();
    await client.end();
    expect(await record(plane)).toMatchObject({ reason, protocol: 'http' });
    expect(server.peers).toHaveLength(reason === 'done' ? 1 : 0);
  });
});

describe('a stranger', () => {
  test('is served without a header', async () => {
    const { plane } = await start();
    const client = await dial(plane.port, stranger);
    client.send('aabb').finish();
    await client.end();
    expect(client.received.toString()).toBe('aabb');
    expect(await record(plane)).toMatchObject({ source: client.address, reason: 'done' });
  });

  test('is not believed: its header is bytes like any others', async () => {
    const { plane, server } = await start();
    const client = await dial(plane.port, stranger);
    client.send(`${v1}aabb`);
    await client.end();
    expect(await record(plane)).toMatchObject({ source: client.address, reason: 'unknown_protocol' });
    expect(server.peers).toEqual([]);
  });
});

test('where no headers are accepted nobody is trusted', async () => {
  const { plane } = await start({ proxyProtocol: null });
  const client = await dial(plane.port, trustedPeer);
  client.send('aabb').finish();
  await client.end();
  expect(client.received.toString()).toBe('aabb');
  expect(await record(plane)).toMatchObject({ source: client.address, reason: 'done' });
});
